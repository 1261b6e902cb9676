using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Webhooks;

/// <summary>The events about webhooks that administrators can subscribe to.</summary>
internal static class WebhookNotices
{
    public static readonly TopicName Topic = TopicName.Parse("dunlin/webhooks");

    /// <summary>The server disabled an endpoint.</summary>
    public const string Disabled = "webhook.disabled";

    /// <summary>Retention removed events before an endpoint had them.</summary>
    public const string Gap = "webhook.gap";

    /// <summary>A delivery was given up after its last attempt.</summary>
    public const string Dead = "webhook.dead";

    public static async ValueTask AppendAsync(IUnitOfWork unit, string type, WebhookNotice notice, CancellationToken cancellationToken) =>
        await unit.AppendAsync(EventDraft.Of(Topic, type, notice, WebhookJson.Default.WebhookNotice), cancellationToken);
}
