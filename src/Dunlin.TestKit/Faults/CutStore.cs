using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.TestKit;

/// <summary>Decorates a store from which a node can be cut off, as by a network partition. While it is cut off, all calls fail at once and
/// change nothing. Thread-safe.</summary>
/// <param name="inner">The store.</param>
public sealed class CutStore(IStore inner) : IStore, ILeaseStore
{
    private int _writes;
    private int _reads;

    /// <summary>Gets or sets whether the node is cut off.</summary>
    public bool IsCut { get; set; }

    /// <summary>Gets the number of units of work that were started through it.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>Gets the number of read scopes that were started through it.</summary>
    public int Reads => Volatile.Read(ref _reads);

    void ILeaseStore.UseLeases(LeaseService service) => inner.UseLeases(service);

    /// <inheritdoc/>
    public ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    )
    {
        ThrowIfCut();
        Interlocked.Increment(ref _writes);
        return inner.WriteAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<T> ReadAsync<T>(Func<IReadScope, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        Interlocked.Increment(ref _reads);
        return inner.ReadAsync(read, cancellationToken);
    }

    private void ThrowIfCut()
    {
        if (IsCut)
            throw new DunlinException(ErrorCode.StoreUnavailable, "Injected: this node is cut off.");
    }
}
