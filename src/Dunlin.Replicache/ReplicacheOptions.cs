using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Replicache;

/// <summary>Limits and versions of the Replicache endpoints.</summary>
public sealed class ReplicacheOptions
{
    /// <summary>
    /// Accepted values of <c>schemaVersion</c>. Others get <c>VersionNotSupported</c>, and the page reloads. Empty: all versions.
    /// Default: empty.
    /// </summary>
    [Required]
    public ISet<string> SchemaVersions { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>
    /// Largest push, in bytes. A client sends all pending mutations in one push, so this limits the work that can be done offline. A
    /// larger one gets 413. Default: 16 MiB. Range: 1 KiB to 256 MiB.
    /// </summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxPushBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Largest arguments of one mutation, in bytes of JSON. A mutation with more fails and is skipped. Default: 256 KiB. Range: 64 bytes
    /// to 16 MiB.
    /// </summary>
    [Range(64, 16 * 1024 * 1024)]
    public int MaxArgsBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// Largest nesting depth of the arguments of one mutation. A deeper mutation fails and is skipped. Default: 32. Range: 1 to 60.
    /// </summary>
    [Range(1, Json.JsonText.MaxDepth)]
    public int MaxArgsDepth { get; set; } = 32;

    /// <summary>
    /// Mutations that share one commit, and one poke to each user. More make a push cheaper, but other writers wait longer. Default: 50.
    /// Range: 1 to 1,000.
    /// </summary>
    [Range(1, 1_000)]
    public int MutationsPerCommit { get; set; } = 50;

    /// <summary>
    /// Largest number of new mutations in one push. Above it the response is 429: the first mutations are stored, and the client sends
    /// the others again. Default: 2,000. Range: 1 to 1,000,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxMutations { get; set; } = 2_000;

    /// <summary>Longest duration of one push. After it the response is the same 429. Default: 5 s. Range: 100 ms to 10 minutes.</summary>
    [TimeSpanRange("00:00:00.1", "00:10:00")]
    public TimeSpan PushLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// New mutations of one user per second, on average, on this node. More gets 429. Zero: no limit. Default: 200. Range: 0 to
    /// 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MutationsPerSecond { get; set; } = 200;

    /// <summary>
    /// New mutations of one user at once after a pause, such as those made offline. More gets 429. Default: 10,000. Range: 1 to
    /// 10,000,000.
    /// </summary>
    [Range(1, 10_000_000)]
    public int MutationBurst { get; set; } = 10_000;

    /// <summary>
    /// New client groups and clients of one user per hour. A client is a loaded page that changed something; the store keeps each for
    /// as long as its group. More gets 429. Zero: no limit. Default: 600. Range: 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int ClientsPerHour { get; set; } = 600;

    /// <summary>
    /// Time after which a client group that neither pushed nor pulled is removed. A client that comes back later starts again, without
    /// its pending mutations. Zero: never. Default: 30 days. Range: 0 to 10,000 days.
    /// </summary>
    [TimeSpanRange("00:00:00", "10000.00:00:00")]
    public TimeSpan ClientGroupIdleAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Times that a mutation may exceed the limit of a unit of work before it counts as failed and is skipped. It would otherwise block
    /// its client for ever. Default: 3. Range: 1 to 100.
    /// </summary>
    [Range(1, 100)]
    public int MaxOverruns { get; set; } = 3;

    /// <summary>Time without data before a stream sends <c>data: ping</c>. Default: 30 s.</summary>
    public TimeSpan Ping { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class ReplicacheOptionsValidator : IValidateOptions<ReplicacheOptions>;
