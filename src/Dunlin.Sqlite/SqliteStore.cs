using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Sqlite.Journal;
using Dunlin.Sqlite.Schema;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Sqlite;

/// <summary>Implements the journal and the store in one SQLite file, with one writer with group commit and a pool of readers. Readers never
/// wait for the writer. Thread-safe.</summary>
/// <remarks><c>OpenAsync</c> or the first request opens the store, once. Disposal closes it after the queued writes.</remarks>
public sealed partial class SqliteStore : RelationalStore
{
    private readonly SqliteOptions _options;
    private readonly CancellationTokenSource _faulted = new();
    private OpenFile? _open;

    /// <summary>Creates a store that is not open yet. The container calls this.</summary>
    /// <param name="options">The options of the store.</param>
    /// <param name="retention">The retention rules.</param>
    /// <param name="schemas">The schema scripts of the application.</param>
    /// <param name="feed">Receives committed events.</param>
    /// <param name="clock">The clock of the store.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="meters">Creates the meter. Null creates a separate meter for this store.</param>
    internal SqliteStore(
        IOptions<SqliteOptions> options,
        IOptions<RetentionOptions> retention,
        IEnumerable<SchemaScripts> schemas,
        CommitFeed feed,
        StoreClock clock,
        ILogger<SqliteStore> logger,
        IMeterFactory? meters = null
    )
        : base(Database.Dialect, retention, schemas, feed, clock, logger, meters)
    {
        _options = options.Value;
        _logger = logger;
    }

    /// <inheritdoc/>
    public override Exception? Fault => _open?.Writer.Fault;

    /// <inheritdoc/>
    public override CancellationToken Faulted => _faulted.Token;

    internal override Position KnownHead => _open!.Writer.Head;

    internal override IStoreWriter<WriteTransaction> Writer => _open!.Writer;

    /// <inheritdoc/>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the read took longer than
    /// <see cref="SqliteOptions.ReadLimit"/>.</exception>
    public override async ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    )
    {
        await EnsureOpenAsync(cancellationToken);
        var reader = await _open!.Readers.RentAsync(cancellationToken);
        using var limit = new ReadLimit(reader, _options.ReadLimit, NodeClock.TimeProvider, cancellationToken);
        // The position is read before the snapshot opens, so that the snapshot includes all events up to the position.
        var scope = new ReadScope(reader.Database, Head, NodeClock.Now);
        try
        {
            reader.Begin();
            var result = await read(scope, limit.Token);
            limit.ThrowIfOver(null);
            return result;
        }
        catch (Exception exception) when (limit.IsOver && exception is not DunlinException)
        {
            limit.ThrowIfOver(exception);
            throw;
        }
        finally
        {
            scope.End();
            limit.Stop();
            _open.Readers.Return(reader);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
    {
        query.Check();
        await EnsureOpenAsync(cancellationToken);
        var reader = await _open!.Readers.RentAsync(cancellationToken);
        try
        {
            var head = KnownHead;
            return new PageReader(reader, query, head.Epoch, head.Offset).Read();
        }
        finally
        {
            _open.Readers.Return(reader);
        }
    }

    // The query runs on one snapshot.
    internal override async ValueTask<T> LookUpAsync<T>(
        Func<ISqlSession, CancellationToken, ValueTask<T>> query,
        CancellationToken cancellationToken
    )
    {
        await EnsureOpenAsync(cancellationToken);
        var reader = await _open!.Readers.RentAsync(cancellationToken);
        try
        {
            reader.Begin();
            return await query(reader.Database, cancellationToken);
        }
        finally
        {
            _open.Readers.Return(reader);
        }
    }
}
