using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.TestKit;

/// <summary>A store that a node can be cut off from, as by a partition: while it is, everything fails at once and nothing is
/// changed. Counts what goes through it. Safe for concurrent use.</summary>
public sealed class CutStore(IStore inner) : IStore, ILeaseStore
{
    private int _writes;
    private int _reads;

    /// <summary>Whether the node is cut off.</summary>
    public bool IsCut { get; set; }

    /// <summary>Units of work begun through it.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>Read scopes begun through it.</summary>
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
