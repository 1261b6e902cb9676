using System.Data;
using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Schema;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Dunlin.Postgres;

/// <summary>
/// The journal and the store in one PostgreSQL database, for any number of nodes: each has one writer with group commit, and
/// readers that wait for nobody. Opened once, by <see cref="OpenAsync"/> or by the first request; closed by disposal, which
/// finishes what is queued. A database that goes away is waited for and come back to. Safe for concurrent use.
/// </summary>
public sealed partial class PostgresStore : IJournal, IStore, IStoreHealth, IAsyncDisposable
{
    /// <summary>The name on which a node tells the others that it has committed.</summary>
    internal const string Channel = "dunlin";

    private static readonly SqlText FindHead = new("find_head");
    private static readonly SqlText BeginWrite = new("begin_write");

    private readonly PostgresOptions _options;
    private readonly SchemaScripts[] _schemas;
    private readonly CommitFeed _feed;
    private readonly StoreClock _clock;
    private readonly ILogger _logger;
    private readonly JournalInstruments _instruments;
    private readonly JournalHead _head;
    private readonly Trimmer _trimmer;
    private readonly WriterEntrance<WriterSession> _writes;
    private readonly SemaphoreSlim _trimming = new(1, 1);

    // Guards opening and closing.
    private readonly SemaphoreSlim _lifetime = new(1, 1);
    private volatile OpenDatabase? _open;
    private bool _isDisposed;

    /// <summary>Makes a store that is not open yet. Without a meter factory its instruments are on a meter of its own.</summary>
    public PostgresStore(
        IOptions<PostgresOptions> options,
        IOptions<RetentionOptions> retention,
        IEnumerable<SchemaScripts> schemas,
        CommitFeed feed,
        StoreClock clock,
        ILogger<PostgresStore> logger,
        IMeterFactory? meters = null)
    {
        _options = options.Value;
        _schemas = [.. schemas];
        _feed = feed;
        _clock = clock;
        _logger = logger;
        _instruments = new JournalInstruments(meters);
        _head = new JournalHead(logger);
        Expected = new ExpectedHead(_options.HintGrace);
        _trimmer = new Trimmer(this, retention.Value);
        _writes = new WriterEntrance<WriterSession>(() => _open?.Writer, async ct => (await OpenedAsync(ct)).Writer);
        // Whoever brings a time of its own, as tests do, means it.
        Clock = new DatabaseClock(clock, isDatabase: ReferenceEquals(clock.TimeProvider, TimeProvider.System));
        _head.Moved += feed.Reach;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The store is not open.</exception>
    public Position Head => _open is not null
        ? _head.Position
        : throw new InvalidOperationException("The store is not open: await PostgresStore.OpenAsync first, or let the host start.");

    /// <inheritdoc/>
    public Exception? Fault => _head.Outage;

    /// <inheritdoc/>
    public CancellationToken Faulted => _head.Faulted;

    /// <summary>The clock that judges leases.</summary>
    internal DatabaseClock Clock { get; set; }

    internal JournalHead Known => _head;

    /// <summary>What others are said to have committed.</summary>
    internal ExpectedHead Expected { get; }

    internal CommitFeed Feed => _feed;

    internal PostgresOptions Options => _options;

    internal StoreClock NodeClock => _clock;

    /// <inheritdoc/>
    public async ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken)
    {
        await QueryAsync(ObserveAsync, cancellationToken);
        return Head;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Position>> AppendAsync(IReadOnlyList<EventDraft> drafts, IdempotencyKey? idempotency, CancellationToken cancellationToken)
    {
        var bytes = AppendRules.Check(drafts, idempotency);
        TextRules.Check(idempotency);
        for (var i = 0; i < drafts.Count; i++)
            TextRules.Check(drafts[i]);
        var fingerprint = idempotency is null ? null : AppendRules.Fingerprint(drafts);
        return _writes.RequestAsync(new AppendRequest<WriterSession>(drafts, bytes, idempotency, fingerprint, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<T> WriteAsync<T>(Func<IUnitOfWork, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken = default) =>
        _writes.RequestAsync(new UnitRequest<T>(work, _writes.Current, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<T> ReadAsync<T>(Func<IReadScope, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken = default)
    {
        using var limit = new CancellationTokenSource(_options.ReadLimit, _clock.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await QueryAsync((connection, ct) => ReadAsync(connection, read, ct), linked.Token);
        }
        catch (Exception exception) when (limit.IsCancellationRequested && exception is not DunlinException)
        {
            throw PostgresFaults.Unavailable($"The read took longer than the limit of {_options.ReadLimit.TotalSeconds:0.###} s and was ended.", exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        query.Check();
        _instruments.Asked("page");
        var (page, head) = await QueryAsync((connection, ct) => PageReader.ReadAsync(connection, query, ct), cancellationToken);
        _head.Observe(head);
        return page;
    }

    /// <inheritdoc/>
    public async ValueTask<long> TrimAsync(CancellationToken cancellationToken)
    {
        await OpenedAsync(cancellationToken);
        await _trimming.WaitAsync(cancellationToken);
        try
        {
            return await _trimmer.RunAsync(Head.Offset, Clock.Now, cancellationToken);
        }
        finally
        {
            _trimming.Release();
        }
    }

    /// <summary>Statements of the store itself, on a connection of the pool.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the database cannot be reached, or took too long.</exception>
    internal async ValueTask<T> QueryAsync<T>(Func<NpgsqlConnection, CancellationToken, ValueTask<T>> query, CancellationToken cancellationToken)
    {
        var open = await OpenedAsync(cancellationToken);
        var isOurs = true;
        try
        {
            await using var connection = await open.Database.OpenConnectionAsync(cancellationToken);
            return await query(connection, cancellationToken);
        }
        catch (Exception exception) when (exception is not DunlinException && PostgresFaults.IsTransient(exception))
        {
            isOurs = !PostgresFaults.IsLost(exception);
            throw PostgresFaults.Translate(exception);
        }
        finally
        {
            if (!isOurs)
                open.Watcher.Wake();
        }
    }

    /// <summary>A connection of the pool, for whoever keeps one.</summary>
    internal async ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken) =>
        await (await OpenedAsync(cancellationToken)).Database.OpenConnectionAsync(cancellationToken);

    /// <summary>A backplane has handed these consecutive events of another node to this one's readers.</summary>
    internal void Hinted(Position first, Position last)
    {
        _head.Follow(first, last);
        Expected.OnHint();
    }

    internal async ValueTask<bool> ObserveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        _instruments.Asked("head");
        var (position, _) = await FindHeadAsync(connection, cancellationToken);
        _head.Observe(position);
        _head.Reached();
        return true;
    }

    private async ValueTask<T> ReadAsync<T>(NpgsqlConnection connection, Func<IReadScope, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("SET TRANSACTION READ ONLY") } };
        batch.Add(BeginWrite, Statements.Text("0"), WriterSession.Milliseconds(_options.ReadLimit), WriterSession.Milliseconds(_options.ReadLimit)).Add(FindHead);
        Position position;
        DateTimeOffset now;
        await using (var row = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await row.NextResultAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            (position, now) = ReadHead(row);
        }
        _head.Observe(position);
        var scope = new PostgresReadScope(connection, position, now);
        try
        {
            return await read(scope, cancellationToken);
        }
        finally
        {
            scope.End();
        }
    }

    private async ValueTask<(Position Position, DateTimeOffset Now)> FindHeadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = connection.Command(FindHead);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return ReadHead(row);
    }

    private (Position Position, DateTimeOffset Now) ReadHead(NpgsqlDataReader row) =>
        (new Position((uint)row.GetInt64(1), row.GetInt64(0)), Clock.Read(row.GetDecimal(2), row.GetInt64(3)));
}
