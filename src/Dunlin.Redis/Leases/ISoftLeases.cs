using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Redis.Leases;

/// <summary>
/// Leases that live in Redis alone: cheap, and with a weaker promise than those of <see cref="LeaseService"/> (G3). Use them to keep
/// work from being done twice, where doing it twice is a waste and no damage, or where whatever is written to compares tokens.
/// <list type="bullet">
/// <item>At most one holder while Redis keeps what it was told. A flush, a restart without persistence, an eviction, or a fail-over
/// to a replica that lagged may forget a lease: then somebody else is granted it while the holder still believes in it. During
/// a partition both sides may grant.</item>
/// <item>Tokens grow all the same: each life of Redis' data has an epoch from the store, larger than every one before, and a
/// server process gives no number in the epoch of another. So a resource that remembers the largest token and refuses smaller ones
/// is safe. A unit of work of the store cannot check a soft lease in its transaction: what is in the store belongs under
/// a real lease.</item>
/// <item>Nothing is announced, nobody waits in a queue, and neither a lost connection nor a sign-out ends a lease: it runs out.</item>
/// </list>
/// Durations are judged by the wall clock of Redis. Safe for concurrent use. Each call throws <see cref="ErrorCode.OutcomeUnknown"/>
/// where Redis (or, for the first grant of an epoch, the store) does not answer; whether it took effect is then unknown, and
/// repeating it with the same lease id tells.
/// </summary>
public interface ISoftLeases
{
    /// <summary>Asks for a lease. Idempotent by lease id: to the same id the same grant is given again, and counted anew.</summary>
    /// <param name="resource">What is asked for.</param>
    /// <param name="leaseId">Chosen by the holder and its secret; see <see cref="LeaseRequest.CheckId"/>.</param>
    /// <param name="holder">Who asks, for others to see; 1 to 200 characters.</param>
    /// <param name="duration">How long; a millisecond to a day.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>Null where another holds it.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, <see cref="ErrorCode.OutcomeUnknown"/>.</exception>
    ValueTask<SoftLease?> TryAcquireAsync(
        ResourceName resource,
        string leaseId,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken = default
    );

    /// <summary>Counts the duration anew. Never acquires.</summary>
    /// <returns>Null where the lease is lost: it ran out, or Redis has forgotten it.</returns>
    ValueTask<SoftLease?> RenewAsync(SoftLease lease, TimeSpan duration, CancellationToken cancellationToken = default);

    /// <summary>Gives a lease back.</summary>
    /// <returns>Whether it was still held.</returns>
    ValueTask<bool> ReleaseAsync(SoftLease lease, CancellationToken cancellationToken = default);

    /// <summary>Who holds a resource now; null where nobody does.</summary>
    ValueTask<SoftHolder?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default);
}

/// <summary>A lease as its holder knows it.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="LeaseId">The holder's secret.</param>
/// <param name="Token">To be shown to what is written to.</param>
/// <param name="ValidFor">How long it is valid, counted from the answer: the duration less the time that asking took.</param>
public sealed record SoftLease(ResourceName Resource, string LeaseId, SoftToken Token, TimeSpan ValidFor);

/// <summary>What others may know of a lease.</summary>
/// <param name="Holder">Who holds it, in its own words.</param>
/// <param name="Token">The token of the grant.</param>
/// <param name="ValidFor">How long it is valid unless it is renewed.</param>
public sealed record SoftHolder(string Holder, SoftToken Token, TimeSpan ValidFor);
