using Dunlin.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="IServiceCollection"/> with <see cref="DunlinClient"/>.</summary>
public static class DunlinClientServices
{
    /// <summary>The name of the <see cref="HttpClient"/> that the client uses: configure it for proxies and certificates.</summary>
    public const string HttpClientName = "Dunlin.Client";

    /// <summary>Adds a <see cref="DunlinClient"/> as a singleton, over <see cref="IHttpClientFactory"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The builder of the <see cref="HttpClient"/>.</returns>
    public static IHttpClientBuilder AddDunlinClient(this IServiceCollection services, Action<DunlinClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(configure);
        return Add(services);
    }

    /// <summary>Adds a <see cref="DunlinClient"/> as a singleton, with options from the configuration. It is safe for native AOT.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">The section with the options, for example <c>configuration.GetSection("DunlinClient")</c>.</param>
    /// <param name="configure">Sets further options, such as <see cref="DunlinClientOptions.GetToken"/>. Default: null.</param>
    /// <returns>The builder of the <see cref="HttpClient"/>.</returns>
    public static IHttpClientBuilder AddDunlinClient(
        this IServiceCollection services,
        IConfiguration section,
        Action<DunlinClientOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.Configure<DunlinClientOptions>(options => ClientConfiguration.Bind(section, options));
        if (configure is not null)
            services.Configure(configure);
        return Add(services);
    }

    private static IHttpClientBuilder Add(IServiceCollection services)
    {
        services.TryAddSingleton(static provider => new DunlinClient(
            provider.GetRequiredService<IOptions<DunlinClientOptions>>().Value,
            // A subscription lives longer than the factory keeps a handler. The handler follows changes of DNS itself.
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName),
            provider.GetService<ILogger<DunlinClient>>()
        ));
        return services
            .AddHttpClient(HttpClientName, static client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(ClientHandler.Create)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers();
    }
}
