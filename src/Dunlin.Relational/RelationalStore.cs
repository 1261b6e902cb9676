using System.Diagnostics.Metrics;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Relational;

/// <summary>Implements the journal and the store in one SQL database. Thread-safe.</summary>
/// <remarks>
/// <see cref="OpenAsync"/> or the first request opens the store, once. Disposal closes it after the queued writes. States:
/// <code>
/// new -> open -> closed
///         |-> faulty: refuses requests until the database is back, or permanently (see Faulted)
/// </code>
/// Only the packages of Dunlin's stores can derive from this class.
/// </remarks>
public abstract class RelationalStore : IJournal, IStore, IStoreHealth, ILeaseStore, IAsyncDisposable
{
    // Guards opening and closing.
    private readonly SemaphoreSlim _lifetime = new(1, 1);
    private readonly SemaphoreSlim _trimming = new(1, 1);
    private readonly WriteDispatcher<WriteTransaction> _writes;
    private readonly Trimmer _trimmer;
    private LeaseService? _leases;
    private volatile bool _isOpen;
    private volatile bool _isDisposed;

    private protected RelationalStore(
        SqlDialect dialect,
        IOptions<RetentionOptions> retention,
        IEnumerable<SchemaScripts> schemas,
        CommitFeed feed,
        StoreClock clock,
        ILogger logger,
        IMeterFactory? meters
    )
    {
        Dialect = dialect;
        Schemas = [.. schemas];
        Feed = feed;
        NodeClock = clock;
        Logger = logger;
        Instruments = new JournalInstruments(meters);
        _trimmer = new Trimmer(this, retention.Value);
        _writes = new WriteDispatcher<WriteTransaction>(
            () => _isOpen ? Writer : null,
            async cancellationToken =>
            {
                await EnsureOpenAsync(cancellationToken);
                return Writer;
            }
        );
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The store is not open.</exception>
    public Position Head =>
        _isOpen
            ? KnownHead
            : throw new InvalidOperationException($"The store is not open. Await {GetType().Name}.OpenAsync first, or start the host.");

    /// <inheritdoc/>
    public abstract Exception? Fault { get; }

    /// <inheritdoc/>
    public abstract CancellationToken Faulted { get; }

    internal SqlDialect Dialect { get; }

    internal SchemaScripts[] Schemas { get; }

    internal CommitFeed Feed { get; }

    internal StoreClock NodeClock { get; }

    internal ILogger Logger { get; }

    internal JournalInstruments Instruments { get; }

    /// <summary>Gets the signal that rows of the outbox may wait.</summary>
    internal WakeSignal OutboxSignal { get; } = new();

    /// <summary>Lets the mover look for rows of the outbox at once.</summary>
    internal void WakeOutbox() => OutboxSignal.Set();

    /// <summary>Gets how often a node looks for rows of the outbox that no signal announced.</summary>
    internal virtual TimeSpan OutboxInterval => TimeSpan.FromMilliseconds(250);

    /// <summary>Gets the name of the outbox of the open store, as a connection of the application can use it.</summary>
    internal virtual string OutboxTable => "dunlin_outbox";

    /// <summary>Gets the name of the table of leases of the open store, as a connection of the application can use it.</summary>
    internal virtual string LeaseTableName => "dunlin_lease";

    /// <summary>Gets the expression for the id of the running transaction; null if a commit of this database is never lost.</summary>
    internal virtual string? TransactionIdSql => null;

    /// <summary>Gets the current time of the clock that decides the expiry of leases, estimated without a query to the database.</summary>
    internal virtual DateTimeOffset Now => NodeClock.Now;

    /// <summary>Gets the head of the open store.</summary>
    internal abstract Position KnownHead { get; }

    /// <summary>Gets the writer of the open store.</summary>
    internal abstract IStoreWriter<WriteTransaction> Writer { get; }

    /// <summary>Opens the database, brings its schema up to date and starts the writer. Further calls have no effect.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">The database cannot be used. The message contains the reason and the remedy.</exception>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the store is closed.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken = default)
    {
        if (_isOpen)
            return;
        await _lifetime.WaitAsync(cancellationToken);
        try
        {
            if (_isDisposed)
                throw Closed();
            if (!_isOpen)
                await OpenNowAsync(cancellationToken);
            _isOpen = true;
        }
        finally
        {
            _lifetime.Release();
        }
    }

    void ILeaseStore.UseLeases(LeaseService service) => _leases = service;

    /// <summary>Finishes the queued writes, refuses new ones, and closes the database.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lifetime.WaitAsync();
        try
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            if (_isOpen)
                await CloseNowAsync();
            Instruments.Dispose();
        }
        finally
        {
            _lifetime.Release();
        }
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    public virtual ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken) => new(Head);

    /// <inheritdoc/>
    public ValueTask<long?> ReadSizeAsync(CancellationToken cancellationToken) =>
        LookUpAsync<long?>(
            static (session, ct) => session.Call("journal_size").FindAsync(static row => (long?)row.Number(0), ct),
            cancellationToken
        );

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    )
    {
        var bytes = AppendRules.Check(drafts, idempotency);
        Check(drafts);
        var fingerprint = idempotency is null ? null : AppendRules.Fingerprint(drafts);
        return _writes.RequestAsync(new AppendRequest<WriteTransaction>(drafts, bytes, idempotency, fingerprint, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    ) => _writes.RequestAsync(new UnitRequest<T>(work, _writes.Current, _leases, cancellationToken));

    /// <inheritdoc/>
    public abstract ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    );

    /// <inheritdoc/>
    public abstract ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken)
    {
        var offset = await LookUpAsync(
            (session, ct) => session.Call("event_find").Text(foreignId).FindAsync<long?>(static row => row.Number(0), ct),
            cancellationToken
        );
        return offset is { } found ? Head with { Offset = found } : null;
    }

    /// <inheritdoc/>
    public async ValueTask<long> TrimAsync(CancellationToken cancellationToken)
    {
        await EnsureOpenAsync(cancellationToken);
        await _trimming.WaitAsync(cancellationToken);
        try
        {
            return await _trimmer.RunAsync(Head.Offset, Now, cancellationToken);
        }
        finally
        {
            _trimming.Release();
        }
    }

    /// <summary>Throws if the caller runs inside a unit of work.</summary>
    internal void ThrowIfInUnit() => _writes.ThrowIfInUnit();

    /// <summary>Throws if the database cannot store an event of the outbox.</summary>
    internal void CheckOutbox(IReadOnlyList<EventDraft> drafts) => Check(drafts);

    /// <summary>Finds the outcome of a transaction of the application whose commit has lost its connection. Waits for the
    /// database.</summary>
    /// <param name="transactionId">The value of <see cref="TransactionIdSql"/> in the transaction.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the transaction was committed; null if that cannot be found out.</returns>
    internal virtual ValueTask<bool?> FindOutcomeAsync(string transactionId, CancellationToken cancellationToken) => new(false);

    /// <summary>Runs a small query of the store itself.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the query failed.</exception>
    internal abstract ValueTask<T> LookUpAsync<T>(
        Func<ISqlSession, CancellationToken, ValueTask<T>> query,
        CancellationToken cancellationToken
    );

    /// <summary>Runs a small change of the store itself. On a database that needs no writer lock for it, each statement commits separately.
    /// SQLite runs the whole change in a batch of the writer.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: nothing was changed.
    /// <see cref="ErrorCode.OutcomeUnknown"/>: the database was lost during the change.</exception>
    internal virtual ValueTask<T> ChangeAsync<T>(
        Func<ISqlSession, CancellationToken, ValueTask<T>> change,
        CancellationToken cancellationToken
    ) => _writes.RequestAsync(new ChangeRequest<T>(change, cancellationToken));

    /// <summary>Opens the database. Called again only after it has thrown.</summary>
    private protected abstract Task OpenNowAsync(CancellationToken cancellationToken);

    /// <summary>Closes the open database. Called once.</summary>
    private protected abstract Task CloseNowAsync();

    /// <summary>Throws if the open store has failed permanently.</summary>
    private protected abstract void ThrowIfFaulted();

    /// <summary>Throws if the database cannot store an event.</summary>
    private protected virtual void Check(IReadOnlyList<EventDraft> drafts) { }

    private protected async ValueTask EnsureOpenAsync(CancellationToken cancellationToken)
    {
        if (!_isOpen)
            await OpenAsync(cancellationToken);
        ThrowIfFaulted();
        if (_isDisposed)
            throw Closed();
    }

    private static DunlinException Closed() => new(ErrorCode.StoreUnavailable, "The store is closed.");
}
