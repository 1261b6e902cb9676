using Dunlin.Consumers;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Outbound;
using Dunlin.Scheduling;
using Dunlin.Webhooks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with webhooks for topics.</summary>
public static class WebhookServices
{
    /// <summary>Adds webhooks, which deliver stored events to URLs. Map their management with <c>app.MapDunlinWebhooks()</c>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options. The host does not start with invalid values.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddTokens().AddWebhooks();
    /// </code>
    /// </example>
    public static DunlinBuilder AddWebhooks(this DunlinBuilder builder, Action<WebhookOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddValidatedOptions<WebhookOptions, WebhookOptionsValidator>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(static service => service.ServiceType == typeof(WebhookStore)))
            return builder;
        builder.AddEventConsumers();
        services.AddSingleton<WebhookInstruments>();
        services.AddSingleton(static provider => new WebhookOutbound(
            provider.GetRequiredService<IOptions<WebhookOptions>>().Value,
            provider.GetRequiredService<StoreClock>(),
            provider.GetService<OutboundLookup>()
        ));
        services.AddSingleton(static provider => new WebhookNode(
            provider.GetRequiredService<IStore>(),
            provider.GetRequiredService<StoreClock>(),
            provider.GetRequiredService<WebhookOutbound>().Sender,
            provider.GetRequiredService<WebhookInstruments>(),
            provider.GetRequiredService<IOptions<WebhookOptions>>().Value,
            provider.GetRequiredService<ILogger<WebhookWorker>>()
        ));
        services.AddSingleton(static provider => new WebhookStore(
            provider.GetRequiredService<WebhookNode>(),
            new WebhookRules(provider.GetRequiredService<WebhookOutbound>().Rules),
            provider.GetRequiredService<EventConsumers>()
        ));
        services.AddHostedSingleton(static provider => new WebhookWorker(
            provider.GetRequiredService<WebhookNode>(),
            provider.GetRequiredService<EventConsumerWorker>(),
            provider.GetRequiredService<BackgroundLoops>()
        ));
        return builder;
    }
}
