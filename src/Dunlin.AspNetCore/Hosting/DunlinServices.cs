using Dunlin.Access;
using Dunlin.Hosting;
using Dunlin.Leases;
using Dunlin.Limits;
using Dunlin.Presence;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Streams;
using Dunlin.Streams.Combined;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="IServiceCollection"/> with Dunlin.</summary>
public static class DunlinServices
{
    /// <summary>Adds the engine and its HTTP endpoints, and sets the options that apply to the whole node.</summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>A builder that adds back ends and features.</returns>
    public static DunlinBuilder AddDunlin(this IServiceCollection services, Action<DunlinOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<DunlinOptions>().Configure(configure);
        return services.AddDunlin();
    }

    /// <summary>Adds the engine and its HTTP endpoints. Add a back end to the returned builder, and map the endpoints with
    /// <c>app.MapDunlin()</c>.</summary>
    /// <param name="services">The services of the application.</param>
    /// <returns>A builder that adds back ends and features.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db");
    /// </code>
    /// </example>
    public static DunlinBuilder AddDunlin(this IServiceCollection services)
    {
        services.AddValidatedOptions<DunlinOptions, DunlinOptionsValidator>();
        if (!services.Any(service => service.ServiceType == typeof(DunlinOptionsMap)))
        {
            services.AddSingleton<DunlinOptionsMap>();
            DunlinOptionsMap.Apply(services);
            HttpJson.Apply(services, HttpJson.Default);
        }
        services.AddValidatedOptions<EventStreamOptions, EventStreamOptionsValidator>();
        services.AddValidatedOptions<PublishOptions, PublishOptionsValidator>();
        services.AddValidatedOptions<ProblemOptions, ProblemOptionsValidator>();
        services.TryAddSingleton<StreamLimits>();
        services.TryAddSingleton(provider => new EventStreams(
            provider.GetRequiredService<Dunlin.Fanout.EventFanout>(),
            provider.GetRequiredService<Dunlin.Topics.AccessPolicies>(),
            provider.GetRequiredService<StreamLimits>(),
            provider.GetRequiredService<IOptions<EventStreamOptions>>(),
            provider.GetService<Revocations>()
        ));
        services.TryAddSingleton<UserRates>();
        services.TryAddSingleton<InnerRequests>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IStartupFilter, InnerRequests>(provider => provider.GetRequiredService<InnerRequests>())
        );
        services.TryAddSingleton<CombinedStreams>();
        services.TryAddSingleton<PublishRate>();
        services.TryAddSingleton<PublishEndpoint>();
        services.TryAddSingleton<JournalEndpoint>();
        services.TryAddSingleton<LeaseEndpoints>();
        services.TryAddSingleton<PresenceEndpoint>();
        services.AddHostedSingleton<StatsEndpoint>();
        services.TryAddSingleton<UserEndpoints>();
        return services.AddDunlinCore();
    }
}
