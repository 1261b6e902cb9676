using Dunlin.Journal;
using Dunlin.Leases;

namespace Dunlin.TestKit;

/// <summary>A store whose units of work go wrong on demand, after their work and before (or after) their commit.</summary>
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
