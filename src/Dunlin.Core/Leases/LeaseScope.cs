using Dunlin.Journal;

namespace Dunlin.Leases;

/// <summary>The lease rows of a unit of work or read scope. Implemented by the units and scopes of every store that keeps leases.</summary>
internal interface ILeaseScope
{
    /// <summary>The lease rows, as this transaction or snapshot sees them.</summary>
    ILeaseTable LeaseTable { get; }

    /// <summary>The lease service of the store; null in a read scope, and where the store has none.</summary>
    LeaseService? LeaseService => null;
}

/// <summary>A store whose units of work know the lease service that stands on it.</summary>
internal interface ILeaseStore
{
    /// <summary>Lets units of work reach the service. Called by the registration of the engine; the last call counts.</summary>
    void UseLeases(LeaseService service);
}

/// <summary>Connects a store with its lease service.</summary>
internal static class LeaseStoreExtensions
{
    /// <summary>Lets the units of work of a store reach the service, if the store keeps leases.</summary>
    public static void UseLeases(this IStore store, LeaseService service) => (store as ILeaseStore)?.UseLeases(service);
}

/// <summary>Leases of units of work and read scopes.</summary>
public static class LeaseScopeExtensions
{
    extension(IUnitOfWork unit)
    {
        /// <summary>The leases, in this transaction: changes commit or roll back with it.</summary>
        /// <exception cref="NotSupportedException">The store keeps no leases.</exception>
        public UnitLeases Leases => new(unit, ScopeOf(unit));

        internal ILeaseTable LeaseTable => ScopeOf(unit).LeaseTable;
    }

    extension(IReadScope scope)
    {
        /// <summary>The leases of this snapshot.</summary>
        /// <exception cref="NotSupportedException">The store keeps no leases.</exception>
        public LeaseReader Leases => new SnapshotLeases(ScopeOf(scope).LeaseTable, scope.Now);

        internal ILeaseTable LeaseTable => ScopeOf(scope).LeaseTable;
    }

    private static ILeaseScope ScopeOf(object scope) =>
        scope as ILeaseScope ?? throw new NotSupportedException($"{scope.GetType().Name} has no leases: this store does not keep any.");
}
