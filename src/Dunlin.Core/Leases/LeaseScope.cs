using Dunlin.Journal;

namespace Dunlin.Leases;

/// <summary>Gives access to the lease rows of a unit of work or read scope. Implemented by every store that has leases.</summary>
internal interface ILeaseScope
{
    /// <summary>Gets the lease rows as seen by this transaction or snapshot.</summary>
    ILeaseTable LeaseTable { get; }

    /// <summary>Gets the lease service of the store; null in a read scope, and if the store has none.</summary>
    LeaseService? LeaseService => null;

    /// <summary>Adds an action that runs once the unit of work has committed. A read scope ignores it.</summary>
    void AfterCommit(Action action) { }
}

/// <summary>A store that gives its units of work access to the lease service.</summary>
internal interface ILeaseStore
{
    /// <summary>Sets the lease service. Called by the service; the last call wins.</summary>
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
        /// <summary>Gets the leases in this transaction. Changes commit or roll back with it.</summary>
        /// <exception cref="NotSupportedException">The store has no leases.</exception>
        public UnitLeases Leases => new(unit, ScopeOf(unit));

        internal ILeaseTable LeaseTable => ScopeOf(unit).LeaseTable;

        internal void AfterCommit(Action action) => ScopeOf(unit).AfterCommit(action);
    }

    extension(IReadScope scope)
    {
        /// <summary>Gets the leases of this snapshot.</summary>
        /// <exception cref="NotSupportedException">The store has no leases.</exception>
        public LeaseReader Leases => new SnapshotLeases(ScopeOf(scope).LeaseTable, scope.Now);

        internal ILeaseTable LeaseTable => ScopeOf(scope).LeaseTable;
    }

    private static ILeaseScope ScopeOf(object scope) =>
        scope as ILeaseScope ?? throw new NotSupportedException($"{scope.GetType().Name} has no leases: this store does not support them.");
}
