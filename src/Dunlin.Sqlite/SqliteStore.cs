using System.Diagnostics.Metrics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Sqlite.Journal;
using Dunlin.Sqlite.Schema;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Sqlite;

/// <summary>
/// The journal and the store in one SQLite file: one writer with group commit, a pool of readers, readers never waiting
/// for the writer. Opened once, by <see cref="OpenAsync"/> or by the first request; closed by disposal, which finishes what
/// is queued. Safe for concurrent use.
/// </summary>
public sealed partial class SqliteStore : IJournal, IStore, IStoreHealth, IAsyncDisposable
{
    private readonly SqliteOptions _options;
    private readonly SchemaScripts[] _schemas;
    private readonly CommitFeed _feed;
    private readonly StoreClock _clock;
    private readonly ILogger _logger;
    private readonly JournalInstruments _instruments;
    private readonly Trimmer _trimmer;
    private readonly WriterEntrance<WriterSession> _writes;
    private readonly CancellationTokenSource _faulted = new();
    private readonly SemaphoreSlim _trimming = new(1, 1);

    // Guards opening and closing.
    private readonly SemaphoreSlim _lifetime = new(1, 1);
    private volatile OpenFile? _open;
    private bool _isDisposed;

    /// <summary>Makes a store that is not open yet. Without a meter factory its instruments are on a meter of its own.</summary>
    public SqliteStore(
        IOptions<SqliteOptions> options,
        IOptions<RetentionOptions> retention,
        IEnumerable<SchemaScripts> schemas,
        CommitFeed feed,
        StoreClock clock,
        ILogger<SqliteStore> logger,
        IMeterFactory? meters = null)
    {
        _options = options.Value;
        _schemas = [.. schemas];
        _feed = feed;
        _clock = clock;
        _logger = logger;
        _instruments = new JournalInstruments(meters);
        _trimmer = new Trimmer(this, retention.Value);
        _writes = new WriterEntrance<WriterSession>(() => _open?.Writer, async ct => (await OpenedAsync(ct)).Writer);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The store is not open.</exception>
    public Position Head => _open is { } open
        ? new Position(open.Epoch, open.Writer.Head)
        : throw new InvalidOperationException("The store is not open: await SqliteStore.OpenAsync first, or let the host start.");

    /// <inheritdoc/>
    public Exception? Fault => _open?.Writer.Fault;

    /// <inheritdoc/>
    public CancellationToken Faulted => _faulted.Token;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Position>> AppendAsync(IReadOnlyList<EventDraft> drafts, IdempotencyKey? idempotency, CancellationToken cancellationToken)
    {
        var bytes = AppendRules.Check(drafts, idempotency);
        var fingerprint = idempotency is null ? null : AppendRules.Fingerprint(drafts);
        return _writes.RequestAsync(new AppendRequest<WriterSession>(drafts, bytes, idempotency, fingerprint, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<T> WriteAsync<T>(Func<IUnitOfWork, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken = default) =>
        _writes.RequestAsync(new UnitRequest<T>(work, _writes.Current, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<T> ReadAsync<T>(Func<IReadScope, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken = default)
    {
        var open = await OpenedAsync(cancellationToken);
        var reader = await open.Readers.RentAsync(cancellationToken);
        using var limit = new ReadLimit(reader, _options.ReadLimit, _clock.TimeProvider, cancellationToken);
        // The position first, then the snapshot: see SqliteReadScope.
        var scope = new SqliteReadScope(reader, Head, _clock.Now);
        try
        {
            reader.Begin();
            var result = await read(scope, limit.Token);
            limit.ThrowIfOver(null);
            return result;
        }
        catch (Exception exception) when (limit.IsOver && exception is not Diagnostics.DunlinException)
        {
            limit.ThrowIfOver(exception);
            throw;
        }
        finally
        {
            scope.End();
            limit.Stop();
            open.Readers.Return(reader);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        query.Check();
        var open = await OpenedAsync(cancellationToken);
        var reader = await open.Readers.RentAsync(cancellationToken);
        try
        {
            var head = open.Writer.Head;
            return new PageReader(reader, query, open.Epoch, head).Read();
        }
        finally
        {
            open.Readers.Return(reader);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> TrimAsync(CancellationToken cancellationToken)
    {
        await OpenedAsync(cancellationToken);
        await _trimming.WaitAsync(cancellationToken);
        try
        {
            return await _trimmer.RunAsync(Head.Offset, _clock.Now, cancellationToken);
        }
        finally
        {
            _trimming.Release();
        }
    }

    /// <summary>A small change by the store itself, in the batch of the writer.</summary>
    internal ValueTask<T> ChangeAsync<T>(Func<WriterSession, T> change, CancellationToken cancellationToken) =>
        _writes.RequestAsync(new InternalRequest<T>(change, cancellationToken));

    /// <summary>A small query by the store itself, on one snapshot.</summary>
    internal async ValueTask<T> QueryAsync<T>(Func<Database, T> query, CancellationToken cancellationToken)
    {
        var open = await OpenedAsync(cancellationToken);
        var reader = await open.Readers.RentAsync(cancellationToken);
        try
        {
            reader.Begin();
            return query(reader.Database);
        }
        finally
        {
            open.Readers.Return(reader);
        }
    }
}
