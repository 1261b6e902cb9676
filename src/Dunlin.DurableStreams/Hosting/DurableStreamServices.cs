using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Reading;
using Dunlin.DurableStreams.Subscriptions;
using Dunlin.DurableStreams.Wire;
using Dunlin.DurableStreams.Writing;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Outbound;
using Dunlin.Security;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with the Durable Streams protocol.</summary>
public static class DurableStreamServices
{
    /// <summary>Adds the Durable Streams protocol. Map it with <c>app.MapDurableStreams()</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddDurableStreams();
    /// </code>
    /// </example>
    public static DunlinBuilder AddDurableStreams(this DunlinBuilder builder, Action<DurableStreamOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddValidatedOptions<DurableStreamOptions, DurableStreamOptionsValidator>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(static service => service.ServiceType == typeof(StreamRights)))
            return builder;
        services.AddSingleton<StreamRights>();
        services.AddSingleton<CreateEndpoint>();
        services.AddSingleton<AppendEndpoint>();
        services.AddSingleton<DeleteEndpoint>();
        services.AddSingleton<LongPolls>();
        services.AddSingleton<LiveStreams>();
        services.AddSingleton<ReadEndpoint>();
        AddSubscriptions(services);
        return builder;
    }

    private static void AddSubscriptions(IServiceCollection services)
    {
        services.AddSingleton(static provider => new OutboundRules(
            provider.GetRequiredService<IOptions<DurableStreamOptions>>().Value.WebhookNetworks
        ));
        services.AddSingleton(static provider => new OutboundSender(
            provider.GetRequiredService<OutboundRules>(),
            provider.GetRequiredService<StoreClock>().TimeProvider,
            provider.GetService<OutboundLookup>()
        ));
        // The key of the server signs webhooks, also where users come from another issuer. It is made at its first use.
        services.TryAddSingleton<SigningKeyStore>();
        services.AddSingleton<WebhookKeys>();
        services.AddSingleton<SubscriptionRights>();
        services.AddSingleton<SubscriptionSettings>();
        services.AddSingleton<SubscriptionInstruments>();
        services.AddSingleton<SubscriptionEndpoint>();
        services.AddHostedSingleton<SubscriptionWorker>();
    }
}
