using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Hosting;

/// <summary>Holds the options of the Durable Streams endpoints.</summary>
public sealed class DurableStreamOptions
{
    /// <summary>Whether the server answers the Durable Streams protocol. Only <c>dunlin serve</c> reads it. Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>The path below which streams have their URLs. Default: <c>/streams</c>.</summary>
    [Required, RegularExpression("(/[A-Za-z0-9._-]+)+")]
    public string Path { get; set; } = "/streams";

    /// <summary>
    /// The beginning of the topics of streams: the stream <c>/streams/a/b</c> is the topic <c>streams/a/b</c>. Rights on these topics are
    /// rights on the streams. Default: <c>streams</c>.
    /// </summary>
    [Required, RegularExpression("[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")]
    public string TopicPrefix { get; set; } = "streams";

    /// <summary>The maximum size of an append in bytes. Default: 16 MiB. Range: 1 to 256 MiB.</summary>
    [Range(1, 256 * 1024 * 1024)]
    public int MaxAppendBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>The maximum number of messages in an append to a JSON stream. Default: 10,000. Range: 1 to 100,000.</summary>
    [Range(1, 100_000)]
    public int MaxMessages { get; set; } = 10_000;

    /// <summary>
    /// The size in bytes at which a response ends, so that the reader asks again. One message is never divided. Default: 1 MiB. Range: 1
    /// KiB to 64 MiB.
    /// </summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int PageBytes { get; set; } = 1024 * 1024;

    /// <summary>The time after which a long-poll without new data is answered. Default: 20 seconds. Range: 1 second to 5 minutes.</summary>
    [TimeSpanRange("00:00:01", "00:05:00")]
    public TimeSpan LongPollTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The time after which the server ends an event stream, so that the reader connects again. Default: 60 seconds. Range: 1
    /// second to 1 hour.</summary>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan MaxStreamDuration { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The public URL of this server, such as <c>https://example.com</c>. Webhooks call back below it. Default: null, which means the
    /// scheme and host of the request that creates a subscription.
    /// </summary>
    [RegularExpression("https?://[^/?#]+(/[A-Za-z0-9._-]+)*")]
    public string? PublicUrl { get; set; }

    /// <summary>The maximum number of subscriptions of one user. Default: 100. Range: 0 to 10,000; 0 allows none.</summary>
    [Range(0, 10_000)]
    public int MaxSubscriptionsPerUser { get; set; } = 100;

    /// <summary>The maximum number of subscriptions of the store. Default: 1,000. Range: 0 to 10,000.</summary>
    [Range(0, 10_000)]
    public int MaxSubscriptions { get; set; } = 1_000;

    /// <summary>
    /// Networks that are not public but may receive webhooks, in CIDR notation such as <c>10.1.0.0/16</c>. With <c>127.0.0.0/8</c>, the
    /// URLs <c>http://localhost</c> and <c>http://127.0.0.1</c> are allowed too. Default: none.
    /// </summary>
    public IList<string> WebhookNetworks { get; } = [];

    /// <summary>The time in which a receiver must answer a webhook. Default: 10 seconds. Range: 1 to 60 seconds.</summary>
    [TimeSpanRange("00:00:01", "00:01:00")]
    public TimeSpan WebhookTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The time of failed deliveries after which a subscription is disabled. Default: 3 days. Range: 1 minute to 30
    /// days.</summary>
    [TimeSpanRange("00:01:00", "30.00:00:00")]
    public TimeSpan DisableWebhooksAfter { get; set; } = TimeSpan.FromDays(3);

    /// <summary>
    /// The number of the key that signs webhooks. Raise it by one for a new key. Its neighbours are published too, so nodes may change one
    /// after the other. Default: 1. Range: 1 to 1,000,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int WebhookKey { get; set; } = 1;
}

[OptionsValidator]
internal sealed partial class DurableStreamOptionsValidator : IValidateOptions<DurableStreamOptions>;
