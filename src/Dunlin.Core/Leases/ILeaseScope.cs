using Dunlin.Journal;

namespace Dunlin.Leases;

/// <summary>The lease rows of a unit of work or read scope. Implemented by the units and scopes of every store that keeps leases.</summary>
public interface ILeaseScope
{
    /// <summary>The lease rows, as this transaction or snapshot sees them.</summary>
    ILeaseTable Leases { get; }
}

/// <summary>Leases of units of work and read scopes.</summary>
public static class LeaseScopeExtensions
{
    extension(IUnitOfWork unit)
    {
        /// <summary>The lease rows; use <see cref="LeaseGuard"/> and <see cref="LeaseService"/> instead where they suffice.</summary>
        /// <exception cref="NotSupportedException">The store keeps no leases.</exception>
        public ILeaseTable Leases => TableOf(unit);
    }

    extension(IReadScope scope)
    {
        /// <summary>The lease rows of this snapshot.</summary>
        /// <exception cref="NotSupportedException">The store keeps no leases.</exception>
        public ILeaseTable Leases => TableOf(scope);
    }

    private static ILeaseTable TableOf(object scope) =>
        (scope as ILeaseScope)?.Leases
        ?? throw new NotSupportedException($"{scope.GetType().Name} has no leases: this store does not keep any.");
}
