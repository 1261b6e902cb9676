using System.ComponentModel.DataAnnotations;

namespace Dunlin.Postgres;

/// <summary>Holds the options of the PostgreSQL store.</summary>
public sealed class PostgresOptions
{
    /// <summary>Gets or sets the Npgsql connection string, for example <c>Host=db;Database=dunlin;Username=dunlin;Password=...</c>.
    /// <c>Search Path</c> selects the schema, and <c>Maximum Pool Size</c> limits the connections of this node. Required.</summary>
    [Required(AllowEmptyStrings = false)]
    public string ConnectionString { get; set; } = "";

    /// <summary>Gets or sets the time after which a unit of work is cancelled and rolled back: 1 ms to 1 hour. Default: 5 seconds. The
    /// writers of all nodes wait while a unit of work runs. The server disconnects a node that stalls while it holds the lock, one second
    /// after this limit.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan WriteLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the time after which a read scope is ended: 1 ms to 1 day. Default: 30 seconds. The snapshot of an open read
    /// scope keeps old row versions alive.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ReadLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how long a write waits for a database that is unreachable, restarting or locked: 0 to 10 minutes. Default: 10
    /// seconds. Zero fails at once. After that the write fails with a retryable error.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets how often this node queries the head of the journal: 10 ms to 1 minute. Default: 250 ms. <c>NOTIFY</c> and the
    /// backplane usually wake the node earlier; polling is the fallback if both are lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Gets or sets how long the node waits for events from a connected backplane (Redis) before it reads an advertised commit
    /// from the database: 0 to 1 minute. Default: 100 ms. Zero reads at once.</summary>
    /// <remarks>Lost backplane events delay delivery by this time, at most twice. The events of a busy node arrive tens of milliseconds
    /// late, and a read before they arrive is wasted.</remarks>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan HintGrace { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets or sets whether the connection string leads to a transaction pooler (PgBouncer, Odyssey). Default: false. Sessions do
    /// not outlive a transaction there, so the store prepares no statements and does not listen; it detects other commits by
    /// polling.</summary>
    public bool ThroughPooler { get; set; }
}
