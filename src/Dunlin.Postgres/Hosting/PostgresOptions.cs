using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Postgres;

/// <summary>Holds the options of the PostgreSQL store.</summary>
public sealed class PostgresOptions
{
    /// <summary>
    /// The Npgsql connection string, for example <c>Host=db;Database=dunlin;Username=dunlin;Password=...</c>. <c>Search Path</c> selects
    /// the schema; <c>Maximum Pool Size</c> limits the connections of this node. Required.
    /// </summary>
    [Required(AllowEmptyStrings = false)]
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Longest duration of a unit of work. A longer one is cancelled and rolled back, because the writers of all nodes wait for it. The
    /// server disconnects a node that is suspended with the lock one second later. Default: 5 s. Range: 1 ms to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:00.001", "01:00:00")]
    public TimeSpan WriteLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Longest duration of a read scope. A longer one is cancelled, because its snapshot keeps old row versions. Default: 30 s. Range: 1
    /// ms to 1 day.
    /// </summary>
    [TimeSpanRange("00:00:00.001", "1.00:00:00")]
    public TimeSpan ReadLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time for which a write waits for a database that is down, restarting or locked. After it the write fails with 503
    /// <c>store_unavailable</c>. Zero: it fails at once. Default: 10 s. Range: zero to 10 minutes.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time between two checks for commits of other nodes. <c>NOTIFY</c> and a backplane normally report them sooner. Default: 250 ms.
    /// Range: 10 ms to 1 minute.
    /// </summary>
    [TimeSpanRange("00:00:00.010", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Time for which a node waits for the events of a notified commit from the Redis backplane before it reads the database. A lost
    /// Redis message delays events by at most twice this time. Zero: the node reads at once. Default: 100 ms. Range: zero to 1 minute.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:01:00")]
    public TimeSpan HintGrace { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether the connection string leads to a transaction pooler (PgBouncer, Odyssey). Statements are then not prepared, and the node
    /// finds commits of other nodes by polling only. Default: false.
    /// </summary>
    public bool ThroughPooler { get; set; }

    /// <summary>
    /// The schema of the functions with which other programs publish by SQL, for example <c>dunlin</c>. Each start installs them; the role
    /// of the connection must own them. Null: none are installed. Default: null.
    /// </summary>
    [StringLength(63, MinimumLength = 1)]
    public string? SqlSchema { get; set; }
}

[OptionsValidator]
internal sealed partial class PostgresOptionsValidator : IValidateOptions<PostgresOptions>;
