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
}

[OptionsValidator]
internal sealed partial class DurableStreamOptionsValidator : IValidateOptions<DurableStreamOptions>;
