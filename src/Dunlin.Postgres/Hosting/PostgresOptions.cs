using System.ComponentModel.DataAnnotations;

namespace Dunlin.Postgres;

/// <summary>The store for several nodes.</summary>
public sealed class PostgresOptions
{
    /// <summary>The Npgsql connection string, for example <c>Host=db;Database=dunlin;Username=dunlin;Password=...</c>. A
    /// <c>Search Path</c> in it chooses the schema; a <c>Maximum Pool Size</c> bounds the connections of this node.</summary>
    [Required(AllowEmptyStrings = false)]
    public string ConnectionString { get; set; } = "";

    /// <summary>How long a unit of work may take before it is cancelled and rolled back: it keeps the writers of all nodes
    /// waiting. A node that stands still while it holds the lock is disconnected one second later. Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan WriteLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a read scope may take before it is ended: its snapshot keeps old row versions alive. Default: 30 seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ReadLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a write waits for a database that is away, restarting or locked, before it is refused as retryable.
    /// Default: 10 seconds. Zero refuses at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often this node looks for what others committed, where nothing wakes it sooner. Default: 250 ms. A wake-up
    /// by <c>NOTIFY</c> or a backplane comes before; this is what remains when both are lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a commit that a notification tells of is waited for, while a backplane that carries events (Redis) is
    /// connected, before it is read from the database: what a lost hint costs, at most twice. A busy node is
    /// tens of milliseconds late with its hints, and each that is late is read for nothing. Default: 100 ms. Zero reads at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan HintGrace { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether the connection string leads to a transaction pooler (PgBouncer, Odyssey): no session outlives a
    /// transaction there, so statements are not prepared and nobody listens; polling alone finds what others committed.
    /// Default: false.</summary>
    public bool ThroughPooler { get; set; }
}
