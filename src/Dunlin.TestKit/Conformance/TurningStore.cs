using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.TestKit.Conformance;

/// <summary>Combines several nodes on one store, and sends each read and write to another node than the one before. Thread-safe.</summary>
/// <param name="journals">The journal of each node.</param>
/// <param name="stores">The store of each node.</param>
/// <remarks>Concurrent writes go to the same node, because the order in which different nodes announce their commits is not
/// guaranteed.</remarks>
public sealed class TurningStore(IReadOnlyList<IJournal> journals, IReadOnlyList<IStore> stores) : IJournal, IStore, ILeaseStore
{
    private readonly Lock _gate = new(); // guards _writer and _writing
    private int _writer;
    private int _writing;
    private int _reader;

    /// <inheritdoc/>
    public Position Head => journals.Select(journal => journal.Head).Max();

    /// <inheritdoc/>
    public ValueTask<Position> ReadHeadAsync(CancellationToken cancellationToken) =>
        journals[NextReader()].ReadHeadAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> ReadSizeAsync(CancellationToken cancellationToken) => journals[NextReader()].ReadSizeAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Position>> AppendAsync(
        IReadOnlyList<EventDraft> drafts,
        IdempotencyKey? idempotency,
        CancellationToken cancellationToken
    ) => WithAsync(node => journals[node].AppendAsync(drafts, idempotency, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken) =>
        journals[NextReader()].ReadAsync(query, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Position?> FindAsync(string foreignId, CancellationToken cancellationToken) =>
        journals[NextReader()].FindAsync(foreignId, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> TrimAsync(CancellationToken cancellationToken) => WithAsync(node => journals[node].TrimAsync(cancellationToken));

    /// <inheritdoc/>
    public ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    ) => WithAsync(node => stores[node].WriteAsync(work, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    ) => stores[NextReader()].ReadAsync(read, cancellationToken);

    void ILeaseStore.UseLeases(LeaseService service)
    {
        foreach (var store in stores)
            store.UseLeases(service);
    }

    private int NextReader() => (int)((uint)Interlocked.Increment(ref _reader) % (uint)stores.Count);

    private async ValueTask<T> WithAsync<T>(Func<int, ValueTask<T>> write)
    {
        int node;
        lock (_gate)
        {
            if (_writing++ == 0)
                _writer = (_writer + 1) % stores.Count;
            node = _writer;
        }
        try
        {
            return await write(node);
        }
        finally
        {
            lock (_gate)
                _writing--;
        }
    }
}
