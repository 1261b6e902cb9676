using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Webhooks;

/// <summary>How webhooks for topics are delivered.</summary>
public sealed class WebhookOptions
{
    /// <summary>The recommendation of Standard Webhooks: ten attempts over about three days.</summary>
    private static readonly TimeSpan[] Schedule =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <summary>Whether the server sends webhooks. Only <c>dunlin serve</c> reads it. Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Delays after the first, second and further failures of a delivery, in increasing order. Up to 20 % is added at random. After the
    /// attempt that follows the last delay, the delivery is dead. Default: empty, which means 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20
    /// h and
    /// 24 h.
    /// </summary>
    public IList<TimeSpan> RetryDelays { get; } = [];

    /// <summary>Time for the name resolution, connection, request and answer of one attempt. Default: 15 s. Range: 100 ms to 5
    /// minutes.</summary>
    [TimeSpanRange("00:00:00.1", "00:05:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Time of failures without a success after which an endpoint is disabled. Default: 5 days. Range: 1 minute to 365
    /// days.</summary>
    [TimeSpanRange("00:01:00", "365.00:00:00")]
    public TimeSpan DisableAfter { get; set; } = TimeSpan.FromDays(5);

    /// <summary>
    /// Maximum number of waiting deliveries of one endpoint. They are stored with their events, so retention does not remove them. At the
    /// maximum, the cursor of the endpoint waits. Default: 1,000. Range: 1 to 100,000.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxWaiting { get; set; } = 1_000;

    /// <summary>Time for which a dead delivery can be redriven. Then it is removed. Default: 30 days. Range: 1 hour to 3,650
    /// days.</summary>
    [TimeSpanRange("01:00:00", "3650.00:00:00")]
    public TimeSpan DeadAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Time for which the former secret signs too after a rotation. Default: 1 day. Range: 0 to 90 days.</summary>
    [TimeSpanRange("00:00:00", "90.00:00:00")]
    public TimeSpan RotationOverlap { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Maximum number of endpoints. Default: 100. Range: 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int MaxEndpoints { get; set; } = 100;

    /// <summary>Time between two looks at the store for changes of endpoints on other nodes. Default: 5 s. Range: 10 ms to 1
    /// hour.</summary>
    [TimeSpanRange("00:00:00.010", "01:00:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Duration of the claim of a node on an endpoint; the node renews it at a third of it. After a node is killed, another one continues
    /// after at most this time. Default: 30 s. Range: 1 s to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan ClaimDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Networks of receivers that are not public but allowed, in CIDR notation such as <c>10.1.0.0/16</c>. Default:
    /// none.</summary>
    public IList<string> Networks { get; } = [];

    /// <summary>Returns the delay after a failure; null after the last attempt.</summary>
    internal TimeSpan? DelayAfter(int failures)
    {
        var delays = RetryDelays.Count > 0 ? RetryDelays : Schedule;
        return failures <= delays.Count ? delays[failures - 1] * (1 + (Random.Shared.NextDouble() * 0.2)) : null;
    }
}

[OptionsValidator]
internal sealed partial class WebhookOptionsValidator : IValidateOptions<WebhookOptions>;
