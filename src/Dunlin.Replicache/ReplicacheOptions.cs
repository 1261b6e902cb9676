using System.ComponentModel.DataAnnotations;

namespace Dunlin.Replicache;

/// <summary>Bounds and versions of the Replicache endpoints.</summary>
public sealed class ReplicacheOptions
{
    /// <summary>The values of <c>schemaVersion</c> that are taken; others are answered with <c>VersionNotSupported</c>, which
    /// makes a page reload. Default: empty, all are taken.</summary>
    [Required]
    public ISet<string> SchemaVersions { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>The largest push, in bytes. A client sends all that it has pending each time, so this bounds how much work can
    /// be done offline. Default: 16 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxPushBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// The largest arguments of one mutation, in bytes of JSON. A larger mutation fails and is stepped over. Default: 256 KiB.
    /// </summary>
    [Range(64, 16 * 1024 * 1024)]
    public int MaxArgsBytes { get; set; } = 256 * 1024;

    /// <summary>How deep the arguments of one mutation may be nested. A deeper mutation fails and is stepped over. Default: 32.</summary>
    [Range(1, Json.JsonText.MaxDepth)]
    public int MaxArgsDepth { get; set; } = 32;

    /// <summary>
    /// Mutations that share one commit, and one poke to each user. More make a push cheaper and hold the writer longer. Default: 50.
    /// </summary>
    [Range(1, 1_000)]
    public int MutationsPerCommit { get; set; } = 50;

    /// <summary>New mutations that one push may do. Above it the answer is 429: what was done is kept, and the client sends the rest
    /// again. Default: 2,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxMutations { get; set; } = 2_000;

    /// <summary>How long one push may work; then it is answered like one of too many mutations. Default: 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan PushLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>New mutations that one user may have done per second, on average. Default: 200. Zero: no limit.</summary>
    [Range(0, 1_000_000)]
    public int MutationsPerSecond { get; set; } = 200;

    /// <summary>New mutations that one user may have done at once above the average: all that was made offline. Default: 10,000.</summary>
    [Range(1, 10_000_000)]
    public int MutationBurst { get; set; } = 10_000;

    /// <summary>New client groups and clients (pages that were loaded and changed something) that one user may have within an hour: each
    /// is kept for ever. Default: 600. Zero: no limit.</summary>
    [Range(0, 1_000_000)]
    public int ClientsPerHour { get; set; } = 600;

    /// <summary>How often a mutation may exceed the time of a unit of work before it is taken for a failing one and stepped
    /// over, so that it does not block its client for ever. Default: 3.</summary>
    [Range(1, 100)]
    public int MaxOverruns { get; set; } = 3;

    /// <summary>How long a stream may be idle before <c>data: ping</c>. Default: 30 s.</summary>
    public TimeSpan Ping { get; set; } = TimeSpan.FromSeconds(30);
}
