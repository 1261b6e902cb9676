using System.ComponentModel.DataAnnotations;

namespace Dunlin.Replicache;

/// <summary>Holds the limits and versions of the Replicache endpoints.</summary>
public sealed class ReplicacheOptions
{
    /// <summary>Gets the accepted values of <c>schemaVersion</c>. Other values get the response <c>VersionNotSupported</c>, which makes a
    /// page reload. Default: empty, which accepts all values.</summary>
    [Required]
    public ISet<string> SchemaVersions { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Gets or sets the maximum size of a push in bytes: 1 KiB to 256 MiB. Default: 16 MiB. A client sends all pending mutations
    /// each time, so this limits the work that a client can do offline.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxPushBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Gets or sets the maximum size of one mutation's arguments in bytes of JSON: 64 bytes to 16 MiB. Default: 256 KiB. A larger
    /// mutation fails and is skipped.</summary>
    [Range(64, 16 * 1024 * 1024)]
    public int MaxArgsBytes { get; set; } = 256 * 1024;

    /// <summary>Gets or sets the maximum nesting depth of one mutation's arguments: 1 to <see cref="Json.JsonText.MaxDepth"/>. Default: 32.
    /// A deeper mutation fails and is skipped.</summary>
    [Range(1, Json.JsonText.MaxDepth)]
    public int MaxArgsDepth { get; set; } = 32;

    /// <summary>Gets or sets how many mutations share one commit, and one poke for each user: 1 to 1,000. Default: 50. A larger number
    /// makes a push cheaper, but holds the writer longer.</summary>
    [Range(1, 1_000)]
    public int MutationsPerCommit { get; set; } = 50;

    /// <summary>Gets or sets how many new mutations one push may run: 1 to 1,000,000. Default: 2,000. Above it the response is 429:
    /// processed mutations stay, and the client sends the remaining ones again.</summary>
    [Range(1, 1_000_000)]
    public int MaxMutations { get; set; } = 2_000;

    /// <summary>Gets or sets how long one push may run: 0.1 seconds to 10 minutes. Default: 5 seconds. A longer push gets the response of
    /// one with too many mutations.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan PushLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets how many new mutations per second one user may run on average: 0 to 1,000,000. Default: 200. Zero means no
    /// limit.</summary>
    [Range(0, 1_000_000)]
    public int MutationsPerSecond { get; set; } = 200;

    /// <summary>Gets or sets how many new mutations one user may run at once above the average, for example after working offline: 1 to
    /// 10,000,000. Default: 10,000.</summary>
    [Range(1, 10_000_000)]
    public int MutationBurst { get; set; } = 10_000;

    /// <summary>Gets or sets how many new client groups and clients one user may create within an hour: 0 to 1,000,000. Default: 600. Zero
    /// means no limit. Each page that was loaded and changed data is a client, and the store keeps it for ever.</summary>
    [Range(0, 1_000_000)]
    public int ClientsPerHour { get; set; } = 600;

    /// <summary>Gets or sets how often a mutation may exceed the time limit of a unit of work before it counts as failed: 1 to 100.
    /// Default: 3. The mutation is then skipped, so that it does not block its client for ever.</summary>
    [Range(1, 100)]
    public int MaxOverruns { get; set; } = 3;

    /// <summary>Gets or sets how long a stream may be idle before <c>data: ping</c>. Default: 30 seconds.</summary>
    public TimeSpan Ping { get; set; } = TimeSpan.FromSeconds(30);
}
