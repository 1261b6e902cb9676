using Dunlin.Journal;
using Dunlin.Relational.Journal;

namespace Dunlin.Relational;

/// <summary>Changes the epoch of a store whose database was restored. Thread-safe.</summary>
public static class StoreEpoch
{
    /// <summary>Begins a new epoch. Readers with a position of the earlier epoch receive <c>dunlin.reset</c> when they resume. The next
    /// fencing token is larger than those that the lost history granted.</summary>
    /// <param name="store">The store. The call opens it. Dispose it afterwards: it caches its earlier state. Stop all servers
    /// before.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The head of the journal, in the new epoch.</returns>
    /// <exception cref="Diagnostics.DunlinException">The store failed.</exception>
    public static async Task<Position> RenewAsync(RelationalStore store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        await store.OpenAsync(cancellationToken);
        var head = await store.ReadHeadAsync(cancellationToken);
        var epoch = await store.WriteAsync(
            async (unit, ct) =>
            {
                var session = ((UnitOfWork)unit).Session;
                await session.Call("fence_skip").FindAsync(static row => row.Number(0), ct);
                return await session.Call("epoch_renew").FindAsync(static row => row.Number(0), ct);
            },
            cancellationToken
        );
        return new Position((uint)epoch, head.Offset);
    }
}
