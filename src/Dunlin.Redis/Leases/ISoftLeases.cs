using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Redis.Leases;

/// <summary>
/// Leases that live in Redis alone: cheap, and with a weaker guarantee than those of <see cref="ILeases"/> (G3). Use them to avoid doing
/// work twice, where doing it twice is a waste and no damage, or where the system that is written to compares fencing tokens.
/// <list type="bullet">
/// <item>At most one holder while Redis keeps its data. A flush, a restart without persistence, an eviction, or a fail-over
/// to a replica that lagged may forget a lease: then somebody else is granted it while the holder still believes in it. During
/// a partition both sides may grant.</item>
/// <item>Tokens grow all the same: each life of Redis' data has an epoch from the store, larger than every one before, and a
/// server process gives no number in the epoch of another. So a resource that remembers the largest token and refuses smaller ones
/// is safe. A unit of work of the store cannot check a soft lease in its transaction: what is in the store belongs under
/// a real lease.</item>
/// <item>Nothing is announced, there is no queue and no hand-off, and neither a lost connection nor a sign-out ends a lease: it expires.
/// A handle learns of a loss by its clock and by its next renewal.</item>
/// </list>
/// Redis judges durations by its wall clock. Safe for concurrent use. Each call throws <see cref="ErrorCode.OutcomeUnknown"/>
/// where Redis (or, for the first grant of an epoch, the store) does not answer; whether it took effect is then unknown;
/// repeat it with the same <see cref="LeaseSettings.LeaseId"/> to find out.
/// </summary>
public interface ISoftLeases
{
    /// <summary>Acquires a lease, or returns null where another holds it. With the same lease id, returns the same grant again and
    /// starts its duration anew.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="duration">How long the lease lasts; <c>default</c> for 30 seconds.</param>
    /// <param name="settings">Owner (its name, of 1 to 200 characters, is shown to others), renewal, lease id; null for the
    /// defaults.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, <see cref="ErrorCode.OutcomeUnknown"/>.</exception>
    ValueTask<Lease?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    );

    /// <summary>Returns who holds a resource now; null where nobody does.</summary>
    ValueTask<SoftHolder?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default);
}

/// <summary>What others may know of a soft lease.</summary>
/// <param name="Holder">The name of its owner.</param>
/// <param name="FencingToken">The token of the grant.</param>
/// <param name="ValidFor">How long it is valid unless it is renewed.</param>
public sealed record SoftHolder(string Holder, FencingToken FencingToken, TimeSpan ValidFor);
