using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Leases;

/// <summary>
/// The state machine of a lease: one resource in one unit of work. Not thread-safe. Each operation first applies expiries.
/// </summary>
/// <remarks>
/// <code>
///   free    acquire                                   : held, the fencing token grows
///   held    renew (by its holder)                     : held, the expiry moves outwards
///   held    release, expiry, disconnect, sign-out     : held by the first waiter, or free
///   held    hand-off                                  : held by the waiter named
///   held    preempt without grace                     : held by the preemptor
///   held    preempt with grace                        : ending, the preemptor is the first waiter, no more renewal
///   held    preempt with grace, without a preemptor   : ending, the queue is unchanged, no more renewal
///   ending  deadline, release                         : held by the first waiter, or free
/// </code>
/// Invariants:
/// <list type="bullet">
/// <item>There is at most one holder.</item>
/// <item><see cref="LeaseRow.FencingToken"/> grows with every grant and never changes otherwise.</item>
/// <item>Each change is announced in the transaction that makes it.</item>
/// <item>Only a renewal by the holder moves the expiry to a later time.</item>
/// </list>
/// </remarks>
internal sealed partial class LeaseStep(IUnitOfWork unit, LeaseRow row, EventOrigin? origin, ILeaseResources? resources = null)
{
    private readonly LeaseRow _before = row;

    public LeaseRow Row { get; private set; } = row;

    public List<LeaseChange> Changes { get; } = [];

    public DateTimeOffset Now => unit.Now;

    public bool HasChanged => !ReferenceEquals(Row, _before);

    /// <summary>Ends an expired lease, removes waiters whose time is over, and grants a free lease to the first waiter.</summary>
    public async ValueTask SettleAsync(CancellationToken cancellationToken)
    {
        if (Row.Waiters.Any(w => w.Until <= Now))
            Row = Row with { Waiters = [.. Row.Waiters.Where(w => w.Until > Now)] };
        if (Row.LeaseId is not null && Row.ExpiresAt <= Now)
            EndNow(Row.EndOfTime, announceOrigin: null);
        await ServeQueueAsync(cancellationToken);
    }

    /// <summary>Ends the current lease with this reason and grants it to the first waiter.</summary>
    public async ValueTask EndAsync(LeaseEnd reason, CancellationToken cancellationToken)
    {
        EndNow(reason, origin);
        await ServeQueueAsync(cancellationToken);
    }

    private void EndNow(LeaseEnd reason, EventOrigin? announceOrigin, string? text = null)
    {
        Changes.Add(
            new LeaseChange(
                LeaseChangeKind.Released,
                Row.Resource,
                Row.FencingToken,
                Row.Owner!,
                Row.ExpiresAt,
                reason,
                announceOrigin,
                text
            )
        );
        Row = Row with { LeaseId = null, Owner = null, Ending = false, End = reason, EndedLeaseId = Row.LeaseId, EndedAt = Now };
    }

    /// <summary>Ends the lease of any holder and empties the queue, before the resource is deleted.</summary>
    public async ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        if (Row.Waiters.Count > 0)
            Row = Row with { Waiters = [] };
        await SettleAsync(cancellationToken);
        if (Row.LeaseId is not null)
            await EndAsync(LeaseEnd.Released, cancellationToken);
    }

    private async ValueTask RequireExistsAsync(CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(cancellationToken))
            throw new DunlinException(ErrorCode.NotFound, $"No resource '{Row.Resource}'.", "resource");
    }

    private ValueTask<bool> ExistsAsync(CancellationToken cancellationToken) =>
        resources is null ? new(true) : resources.ExistsAsync(Row.Resource, unit, cancellationToken);

    private async ValueTask ServeQueueAsync(CancellationToken cancellationToken)
    {
        if (Row.LeaseId is not null || Row.Waiters.Count == 0)
            return;
        if (!await ExistsAsync(cancellationToken))
        {
            Row = Row with { Waiters = [] };
            return;
        }
        var first = Row.Waiters[0];
        await GrantAsync(first.LeaseId, first.Owner, first.Seconds, cancellationToken);
    }

    private async ValueTask GrantAsync(string leaseId, LeaseOwner owner, int seconds, CancellationToken cancellationToken)
    {
        Row = Row with
        {
            FencingToken = await unit.LeaseTable.NextFencingTokenAsync(cancellationToken),
            LeaseId = leaseId,
            Owner = owner,
            AcquiredAt = Now,
            ExpiresAt = Now.AddSeconds(seconds),
            Seconds = seconds,
            Ending = false,
            Waiters = [.. Row.Waiters.Where(w => !IsSame(w.LeaseId, leaseId))],
        };
        Changes.Add(
            new LeaseChange(LeaseChangeKind.Granted, Row.Resource, Row.FencingToken, owner, Row.ExpiresAt, LeaseEnd.Unknown, origin)
        );
    }

    private bool IsHeldBy(LeaseRequest request) => IsHeldBy(new LeaseClaim(Row.Resource, request.LeaseId, request.Owner.UserId));

    private bool IsHeldBy(LeaseClaim claim) => LeaseClaimCheck.LossOf(Row, claim, Now) is null;

    // Lease ids are secret: compare them in constant time.
    internal static bool IsSame(string a, string b) =>
        System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(a.AsSpan()),
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(b.AsSpan())
        );
}
