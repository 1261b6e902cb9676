using System.Data;
using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Relational;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Dunlin.Postgres;

/// <summary>Implements the journal and the store in one PostgreSQL database, for any number of nodes. Thread-safe.</summary>
/// <remarks>Each node has one writer with group commit, and readers that never wait for a writer. <c>OpenAsync</c> or the first request
/// opens the store, once. Disposal closes it after the queued writes. If the database becomes unreachable, the store waits and continues
/// when it is back.</remarks>
public sealed partial class PostgresStore : RelationalStore
{
    /// <summary>The NOTIFY channel on which a node announces its commits.</summary>
    internal const string Channel = "dunlin";

    /// <summary>The NOTIFY channel on which a commit announces rows of the outbox while no node looks by itself.</summary>
    internal const string OutboxChannel = "dunlin_outbox";

    private static readonly SqlText FindHead = new("find_head");
    private static readonly SqlText BeginWrite = new("begin_write");

    private readonly PostgresOptions _options;
    private readonly ILogger _logger;
    private readonly JournalHead _head;
    private OpenDatabase? _open;

    /// <summary>Creates a store that is not open yet. The container calls this.</summary>
    /// <param name="options">The options of the store.</param>
    /// <param name="retention">The retention rules.</param>
    /// <param name="schemas">The schema scripts of the application.</param>
    /// <param name="feed">Receives committed events.</param>
    /// <param name="clock">The clock of the node.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="meters">Creates the meter. Null creates a separate meter for this store.</param>
    internal PostgresStore(
        IOptions<PostgresOptions> options,
        IOptions<RetentionOptions> retention,
        IEnumerable<SchemaScripts> schemas,
        CommitFeed feed,
        StoreClock clock,
        ILogger<PostgresStore> logger,
        IMeterFactory? meters = null
    )
        : base(PostgresSession.Dialect, retention, schemas, feed, clock, logger, meters)
    {
        _options = options.Value;
        _logger = logger;
        _head = new JournalHead(logger);
        Expected = new ExpectedHead(_options.HintGrace);
        // Use the database clock unless a TimeProvider is injected, as tests do.
        Clock = new DatabaseClock(clock, isDatabase: ReferenceEquals(clock.TimeProvider, TimeProvider.System));
        _head.Moved.Subscribe(feed.NotifyHead);
    }

    /// <inheritdoc/>
    public override Exception? Fault => _head.Outage;

    /// <inheritdoc/>
    public override CancellationToken Faulted => _head.Faulted;

    internal override DateTimeOffset Now => Clock.Now;

    internal override TimeSpan OutboxInterval => _options.ThroughPooler ? _options.PollInterval : TimeSpan.FromSeconds(1);

    internal override string OutboxTable => $"{_open!.Schema}.dunlin_outbox";

    internal override string LeaseTableName => $"{_open!.Schema}.dunlin_lease";

    internal override Position KnownHead => _head.Position;

    internal override IStoreWriter<WriteTransaction> Writer => _open!.Writer;

    /// <summary>Gets the clock that decides the expiry of leases.</summary>
    internal DatabaseClock Clock { get; set; }

    internal JournalHead Known => _head;

    /// <summary>Gets the head that other nodes have advertised.</summary>
    internal ExpectedHead Expected { get; }

    internal PostgresOptions Options => _options;

    /// <inheritdoc/>
    public override async ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken)
    {
        await QueryAsync(ObserveAsync, cancellationToken);
        return Head;
    }

    /// <inheritdoc/>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the read took longer than
    /// <see cref="PostgresOptions.ReadLimit"/>.</exception>
    public override async ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    )
    {
        using var limit = new CancellationTokenSource(_options.ReadLimit, NodeClock.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await QueryAsync((connection, ct) => ReadAsync(connection, read, ct), linked.Token);
        }
        catch (Exception exception) when (limit.IsCancellationRequested && exception is not DunlinException)
        {
            throw PostgresFaults.Unavailable(
                $"The read took longer than PostgresOptions.ReadLimit ({_options.ReadLimit.TotalSeconds:0.###} s) and was cancelled.",
                exception
            );
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        query.Check();
        Instruments.CountQuery("page");
        var (page, head) = await QueryAsync((connection, ct) => PageReader.ReadAsync(connection, query, ct), cancellationToken);
        _head.Observe(head);
        return page;
    }

    internal override ValueTask<T> LookUpAsync<T>(
        Func<ISqlSession, CancellationToken, ValueTask<T>> query,
        CancellationToken cancellationToken
    ) => QueryAsync((connection, ct) => query(new PostgresSession(connection), ct), cancellationToken);

    // Each statement commits separately and takes no lock of the writers.
    internal override ValueTask<T> ChangeAsync<T>(
        Func<ISqlSession, CancellationToken, ValueTask<T>> change,
        CancellationToken cancellationToken
    ) =>
        QueryAsync(
            async (connection, ct) =>
            {
                try
                {
                    return await change(new PostgresSession(connection), ct);
                }
                catch (Exception exception) when (exception is not DunlinException && PostgresFaults.IsLost(exception))
                {
                    _open!.Watcher.Wake();
                    throw PostgresFaults.LostInChange(exception);
                }
            },
            cancellationToken
        );

    /// <summary>Installs or updates the functions with which other programs publish by SQL: see <see cref="SqlFunctions"/>.</summary>
    /// <param name="schema">The schema of the functions.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">The role of the connection may not create them, or the schema belongs to another
    /// store. Nothing was changed.</exception>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the database cannot be reached.</exception>
    public async ValueTask InstallSqlAsync(string schema = SqlFunctions.DefaultSchema, CancellationToken cancellationToken = default) =>
        await QueryAsync(
            async (connection, ct) =>
            {
                await SqlFunctions.InstallAsync(connection, schema, ct);
                return true;
            },
            cancellationToken
        );

    /// <summary>Runs statements of the store itself on a connection of the pool.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the database is unreachable or took too
    /// long.</exception>
    internal async ValueTask<T> QueryAsync<T>(
        Func<NpgsqlConnection, CancellationToken, ValueTask<T>> query,
        CancellationToken cancellationToken
    )
    {
        await EnsureOpenAsync(cancellationToken);
        try
        {
            await using var connection = await _open!.Database.OpenConnectionAsync(cancellationToken);
            return await query(connection, cancellationToken);
        }
        catch (Exception exception) when (exception is not DunlinException && PostgresFaults.IsTransient(exception))
        {
            if (PostgresFaults.IsLost(exception))
                _open!.Watcher.Wake();
            throw PostgresFaults.Translate(exception);
        }
    }

    /// <summary>Opens a connection of the pool, for a caller that keeps it.</summary>
    internal async ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken)
    {
        await EnsureOpenAsync(cancellationToken);
        return await _open!.Database.OpenConnectionAsync(cancellationToken);
    }

    /// <summary>Records that a backplane has delivered these consecutive events of another node to this node's readers.</summary>
    internal void Hinted(Position first, Position last)
    {
        _head.Follow(first, last);
        Expected.OnCommitNotification();
    }

    internal async ValueTask<bool> ObserveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        Instruments.CountQuery("head");
        var (position, _) = await FindHeadAsync(connection, cancellationToken);
        _head.Observe(position);
        _head.Reached();
        return true;
    }

    private protected override void Check(IReadOnlyList<EventDraft> drafts)
    {
        for (var i = 0; i < drafts.Count; i++)
            TextRules.Check(drafts[i]);
    }

    private async ValueTask<T> ReadAsync<T>(
        NpgsqlConnection connection,
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("SET TRANSACTION READ ONLY") } };
        var limit = _options.ReadLimit;
        batch.Add(BeginWrite, Statements.Text("0"), WriterSession.Milliseconds(limit), WriterSession.Milliseconds(limit)).Add(FindHead);
        Position position;
        DateTimeOffset now;
        await using (var row = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await row.NextResultAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            (position, now) = ReadHead(row);
        }
        _head.Observe(position);
        // The position was read from the snapshot, so the snapshot holds exactly the events up to it.
        var scope = new ReadScope(new PostgresSession(connection), position, now);
        try
        {
            return await read(scope, cancellationToken);
        }
        finally
        {
            scope.End();
        }
    }

    private async ValueTask<(Position Position, DateTimeOffset Now)> FindHeadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = connection.Command(FindHead);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return ReadHead(row);
    }

    private (Position Position, DateTimeOffset Now) ReadHead(NpgsqlDataReader row) =>
        (new Position((uint)row.GetInt64(1), row.GetInt64(0)), Clock.Read(row.GetDecimal(2), row.GetInt64(3)));
}
