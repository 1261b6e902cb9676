using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>The store of a node that is killed at a certain call: that call fails before or after its commit, and all later calls
/// fail.</summary>
internal sealed class KilledStore(IStore inner, int call, bool isCommitted) : IStore
{
    private int _calls;

    public bool IsKilled => Volatile.Read(ref _calls) >= call;

    public async ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    )
    {
        var number = Interlocked.Increment(ref _calls);
        if (number > call || (number == call && !isCommitted))
            throw Killed();
        var result = await inner.WriteAsync(work, cancellationToken);
        return number == call ? throw Killed() : result;
    }

    public ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    ) => Interlocked.Increment(ref _calls) >= call ? throw Killed() : inner.ReadAsync(read, cancellationToken);

    private static DunlinException Killed() => new(ErrorCode.StoreUnavailable, "Injected: this node was killed.");
}
