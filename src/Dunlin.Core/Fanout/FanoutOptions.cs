using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Fanout;

/// <summary>Limits of the delivery from the journal to the connections.</summary>
public sealed class FanoutOptions
{
    /// <summary>
    /// Bytes that may wait for one connection. A slower connection reads from the journal again, at its own pace, and loses no event.
    /// Default: 64 KiB. Range: 1 KiB to 16 MiB.
    /// </summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxPendingBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Events kept in memory for connections that resume or are slow. A connection beyond them reads the database. Default: 8,192. Range:
    /// 64 to 1,048,576.
    /// </summary>
    [Range(64, 1024 * 1024)]
    public int TailEvents { get; set; } = 8_192;

    /// <summary>Bytes of event data kept in memory for the same purpose. Default: 32 MiB. Range: at least 64 KiB.</summary>
    [Range(64 * 1024, int.MaxValue)]
    public int TailBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>
    /// Bytes of journal pages kept in memory for connections that resume from before the tail. Zero: no page is kept. Default: 8 MiB.
    /// Range: at least 0.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int CatchUpBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Time after which a connection that accepts or, on Linux, acknowledges no data is closed. Its client resumes when it reconnects.
    /// Default: 1 minute.
    /// </summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Number of loops that deliver to the connections. Each connection belongs to one loop. Zero: one for each processor, at most eight.
    /// Default: 0. Range: 0 to 64.
    /// </summary>
    [Range(0, 64)]
    public int Shards { get; set; }

    /// <summary>
    /// Lag of delivery that publishing over HTTP may cause on this node: the time from the commit of an event until its live connections
    /// got it. Publishers wait before it is exceeded. Zero: publishers never wait. Default: 100 ms. Range: 0 to 1 minute.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:01:00")]
    public TimeSpan LagTarget { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Time for which one publish request waits for the target before it gets 429 with <c>Retry-After</c>. Zero: it does not wait.
    /// Default: 1 second. Range: 0 to 1 minute.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:01:00")]
    public TimeSpan MaxPublishWait { get; set; } = TimeSpan.FromSeconds(1);
}

[OptionsValidator]
internal sealed partial class FanoutOptionsValidator : IValidateOptions<FanoutOptions>;
