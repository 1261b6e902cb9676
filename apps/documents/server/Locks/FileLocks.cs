using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Files;
using Dunlin.Apps.Documents.SharedDrafts;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Locks;

/// <summary>A lock as its holder receives it.</summary>
/// <param name="Status"><c>locked</c>, or <c>queued</c> if the caller waits for it.</param>
/// <param name="FileId">The file.</param>
/// <param name="Lease">The fencing token, to send with every save; absent while waiting.</param>
/// <param name="Seconds">Duration without a renewal.</param>
/// <param name="ExpiresAt">When it ends without a renewal.</param>
/// <param name="ServerNow">The time of the answer.</param>
/// <param name="LockedBy">The holder.</param>
/// <param name="Position">One-based place in the queue while waiting.</param>
/// <param name="IsNew">Whether this request acquired the lock; false if the session already had it.</param>
internal sealed record LockGrant(
    string Status,
    string FileId,
    long? Lease,
    int Seconds,
    DateTimeOffset ExpiresAt,
    DateTimeOffset ServerNow,
    LockHolder? LockedBy,
    int? Position,
    bool IsNew
);

/// <summary>The answer of <c>check_lock</c>.</summary>
internal sealed record LockCheck(string FileId, bool IsLocked, LockHolder? LockedBy, DateTimeOffset ServerNow);

/// <summary>One lock in the list.</summary>
internal sealed record LockEntry(string FileId, LockHolder LockedBy);

/// <summary>The locks of the files that the caller may see.</summary>
internal sealed record LockList(IReadOnlyList<LockEntry> Locks, DateTimeOffset ServerNow, string Position);

/// <summary>
/// The locks of files. A session holds a lock for 90 seconds; a heartbeat renews it and never acquires it. The engine handles the lease,
/// its expiry, its grace and its queue.
/// </summary>
internal sealed class FileLocks(IStore store, LeaseService leases, LockIds ids)
{
    private const int Seconds = 90;

    // In place of a connection and a device. The engine ends leases of a lost device after seconds; a lock lasts its 90 s without a
    // network.
    private const string AnyDevice = "session";

    /// <summary>Duration of a lock after its last heartbeat.</summary>
    private static readonly LeaseDuration Duration = LeaseDuration.FromSeconds(Seconds);

    /// <summary>Acquires the lock, or queues for it. Idempotent for the session that holds it.</summary>
    public async ValueTask<LockGrant> AcquireAsync(Caller caller, string fileId, bool wait, CancellationToken cancellationToken)
    {
        var leaseId = await ids.OfAsync(caller, cancellationToken);
        var result = await store.WriteAsync(
            async (unit, ct) =>
            {
                await Maintenance.RequireOffAsync(unit, caller);
                var file = await DocumentRows.RequireAsync(unit, caller, fileId);
                DocumentRights.RequireLock(caller, file);
                await SharedDraftRows.RequireNoneAsync(unit, file);
                // A waiter has its device, so that a closed page leaves the queue.
                var page = LeaseRequest.OwnerOf(caller);
                var holder = page with { ConnectionId = AnyDevice, DeviceId = AnyDevice };
                var request = new LeaseRequest(ResourceOf(file), leaseId, wait ? page : holder, Duration, wait);
                var acquired = await unit.Leases.AcquireAsync(request, caller.AsOrigin(), ct);
                if (wait && acquired.Status != LeaseStatus.Queued)
                    // The same lease id keeps the grant and replaces the device.
                    await unit.Leases.AcquireAsync(request with { Owner = holder }, caller.AsOrigin(), ct);
                return acquired;
            },
            cancellationToken
        );
        return result.Status == LeaseStatus.Queued
            ? new LockGrant(
                "queued",
                fileId,
                null,
                Seconds,
                result.Lease.ExpiresAt,
                result.Now,
                HolderOf(result.Lease, caller),
                result.QueuePosition,
                false
            )
            : GrantOf(result.OrThrow(), fileId, caller);
    }

    /// <summary>Renews a lock for 90 seconds. A lost lock stays lost; the error contains the reason.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="fileId">The file.</param>
    /// <param name="fencingToken">The fencing token of the grant; null renews the current grant of the session.</param>
    /// <param name="cancellationToken">Cancels before the renewal.</param>
    public async ValueTask<LockGrant> HeartbeatAsync(Caller caller, string fileId, long? fencingToken, CancellationToken cancellationToken)
    {
        var claim = await ClaimAsync(caller, fileId, fencingToken, cancellationToken);
        return GrantOf(await leases.RenewAsync(claim, Duration, caller.AsOrigin(), cancellationToken), fileId, caller);
    }

    /// <summary>Releases the lock, or leaves the queue. Idempotent; releasing a lost lock has no effect.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="fileId">The file.</param>
    /// <param name="fencingToken">
    /// The fencing token of the grant. A late release cannot end a newer grant of the same session. Null releases the current grant of the
    /// session.
    /// </param>
    /// <param name="cancellationToken">Cancels before the release.</param>
    /// <returns>Whether a lock was released.</returns>
    public async ValueTask<bool> ReleaseAsync(Caller caller, string fileId, long? fencingToken, CancellationToken cancellationToken)
    {
        var leaseId = await ids.OfAsync(caller, cancellationToken);
        return await store.WriteAsync(
            async (unit, ct) =>
            {
                var file = await DocumentRows.RequireAsync(unit, caller, fileId);
                var resource = ResourceOf(file);
                var before = await unit.Leases.FindAsync(resource, ct);
                var claim = new LeaseClaim(resource, leaseId, caller.UserId, fencingToken);
                var released = await unit.Leases.ReleaseAsync(claim, caller.AsOrigin(), ct);
                var after = await unit.Leases.FindAsync(resource, ct);
                // The engine announces no end of a wait. Pages show the queue by name.
                if (after?.FencingToken == before?.FencingToken && after?.Waiting < before?.Waiting)
                    await unit.AppendAsync(DocumentEvents.Changed(file.CollectionId, "lock_request_ended", fileId, caller.AsOrigin()), ct);
                return released;
            },
            cancellationToken
        );
    }

    public async ValueTask<LockCheck> CheckAsync(Caller caller, string fileId, CancellationToken cancellationToken) =>
        await store.ReadAsync(
            async (scope, ct) =>
            {
                var file = await DocumentRows.RequireAsync(scope.Connection, null, caller, fileId);
                var holder = await scope.Leases.FindAsync(ResourceOf(file), ct) is { } lease ? HolderOf(lease, caller) : null;
                return new LockCheck(fileId, holder is not null, holder, scope.Now);
            },
            cancellationToken
        );

    public ValueTask<LockList> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
            {
                var entries = new List<LockEntry>();
                foreach (var collection in await CollectionRows.ListAsync(scope.Connection, caller))
                {
                    foreach (var (stableId, holder) in await HoldersAsync(scope, caller, collection.Id, ct))
                        entries.Add(new LockEntry(stableId, holder));
                }
                return new LockList(entries, scope.Now, scope.Position.ToString());
            },
            cancellationToken
        );

    /// <summary>Ends a lock of any holder. For administrators. Announced like every release.</summary>
    public ValueTask<bool> ForceReleaseAsync(Caller caller, string fileId, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                DocumentRights.RequireAdministrator(caller);
                var file = await DocumentRows.RequireAsync(unit, caller, fileId);
                return await unit.Leases.ForceReleaseAsync(ResourceOf(file), cancellationToken: ct);
            },
            cancellationToken
        );

    /// <summary>Returns the holders of the locks in one collection, in the snapshot of a list.</summary>
    public static async ValueTask<IReadOnlyDictionary<string, LockHolder>> HoldersAsync(
        IReadScope scope,
        Caller caller,
        string collectionId,
        CancellationToken cancellationToken
    )
    {
        var holders = new Dictionary<string, LockHolder>(StringComparer.Ordinal);
        await foreach (var lease in scope.Leases.ListAsync(DocumentNames.Topic(collectionId).Value, cancellationToken))
        {
            if (DocumentNames.Parts(lease.Resource) is var (_, stableId))
                holders[stableId] = HolderOf(lease, caller);
        }
        return holders;
    }

    public static ResourceName ResourceOf(DocumentFile file) => DocumentNames.Lock(file.CollectionId, file.StableId);

    /// <summary>Returns the claim of the caller's session to the lock of a visible file.</summary>
    private async ValueTask<LeaseClaim> ClaimAsync(Caller caller, string fileId, long? fencingToken, CancellationToken cancellationToken)
    {
        var file = await store.ReadAsync(
            async (scope, _) => await DocumentRows.RequireAsync(scope.Connection, null, caller, fileId),
            cancellationToken
        );
        return new LeaseClaim(ResourceOf(file), await ids.OfAsync(caller, cancellationToken), caller.UserId, fencingToken);
    }

    private static LockGrant GrantOf(LeaseResult result, string fileId, Caller caller) =>
        new(
            "locked",
            fileId,
            result.Lease.FencingToken.Number,
            (int)result.Lease.Duration.TotalSeconds,
            result.Lease.ExpiresAt,
            result.Now,
            HolderOf(result.Lease, caller),
            null,
            result.Status == LeaseStatus.Granted
        );

    private static LockHolder HolderOf(LeaseInfo lease, Caller caller) =>
        new(
            lease.Owner!.UserId,
            lease.Owner.Name,
            string.Equals(lease.Owner.UserId, caller.UserId, StringComparison.Ordinal)
                && string.Equals(lease.Owner.SessionId, caller.SessionId, StringComparison.Ordinal),
            lease.AcquiredAt,
            lease.ExpiresAt,
            lease.Waiting,
            [.. lease.Waiters.Select(waiter => waiter.Name)]
        );
}
