using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.TestKit;

/// <summary>Decorates a store with faults on demand. A unit of work fails after its work, before or after its commit.
/// Thread-safe.</summary>
/// <param name="inner">The store.</param>
/// <param name="faults">The faults of units of work.</param>
public sealed class FaultyStore(IStore inner, CommitFaults faults) : IStore, ILeaseStore
{
    void ILeaseStore.UseLeases(LeaseService service) => inner.UseLeases(service);

    /// <inheritdoc/>
    public async ValueTask<T> WriteAsync<T>(
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken = default
    )
    {
        var fault = faults.Take();
        var result = await inner.WriteAsync(
            async (unit, ct) =>
            {
                var value = await work(unit, ct);
                if (fault.Gate is { } gate)
                    await gate.PassAsync().WaitAsync(ct);
                return fault.Before is { } before ? throw before : value;
            },
            cancellationToken
        );
        return fault.After is { } after ? throw after : result;
    }

    /// <inheritdoc/>
    public ValueTask<T> ReadAsync<T>(
        Func<IReadScope, CancellationToken, ValueTask<T>> read,
        CancellationToken cancellationToken = default
    ) => inner.ReadAsync(read, cancellationToken);
}
