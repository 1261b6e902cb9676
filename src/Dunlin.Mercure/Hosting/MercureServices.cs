using Dunlin.Hosting;
using Dunlin.Mercure;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Discovery;
using Dunlin.Mercure.Publishing;
using Dunlin.Mercure.Subscriptions;
using Dunlin.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with a Mercure hub.</summary>
public static class MercureServices
{
    /// <summary>Adds a Mercure hub. Map it with <c>app.MapMercure()</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddMercure(hub =>
    /// {
    ///     hub.Url = "https://example.com/.well-known/mercure";
    ///     hub.Issuers.Add(new MercureIssuer { Issuer = "https://example.com", SecretFiles = { "mercure.key" } });
    /// });
    /// </code>
    /// </example>
    public static DunlinBuilder AddMercure(this DunlinBuilder builder, Action<MercureOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddValidatedOptions<MercureOptions, MercureAnnotationsValidator>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MercureOptions>, MercureOptionsValidator>());
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(static service => service.ServiceType == typeof(MercureHub)))
            return builder;
        Authorities.AddClient(services);
        services.AddSingleton<MercureHub>();
        services.AddHostedSingleton<MercureTokens>();
        services.AddHostedSingleton<SubscriptionTracker>();
        services.AddSingleton<RequestAccess>();
        services.AddSingleton<StreamStarts>();
        services.AddSingleton<MercureStreams>();
        services.AddSingleton<PublishEndpoint>();
        services.AddSingleton<SubscribeEndpoint>();
        services.AddSingleton<SubscriptionApi>();
        services.AddSingleton<MetadataEndpoint>();
        services.AddSingleton<MercureCors>();
        services.PostConfigure<KestrelServerOptions>(AllowIdsInHeaders);
        return builder;
    }

    // An id may be any text, and these headers return it. Kestrel refuses characters outside ASCII unless told their encoding.
    private static void AllowIdsInHeaders(KestrelServerOptions kestrel)
    {
        var configured = kestrel.ResponseHeaderEncodingSelector;
        kestrel.ResponseHeaderEncodingSelector = name =>
            configured(name) ?? (name is "Mercure-Last-Event-ID" or "Last-Event-ID" or "Link" ? System.Text.Encoding.UTF8 : null);
    }
}
