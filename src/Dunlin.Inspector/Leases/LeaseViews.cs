using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dunlin.Inspector.Leases;

/// <summary>Serves the leases of the store, and ends or preempts one.</summary>
internal sealed partial class LeaseViews(LeaseService leases, IStore store, ILogger<LeaseViews> logger)
{
    /// <summary>Serves <c>GET api/leases?q=&amp;after=&amp;limit=</c>.</summary>
    public async Task ServeListAsync(HttpContext context)
    {
        var text = QueryText.Of(context, "q");
        var page = await leases.ListPageAsync(
            new LeaseQuery(Limit: QueryText.Number(context, "limit", 500, 1, 1_000), After: QueryText.Of(context, "after")),
            (lease, _) => new(QueryText.Matches(lease.Resource.Value, text) || QueryText.Matches(lease.Owner?.UserId, text)),
            context.RequestAborted
        );
        await context.Response.WriteAsJsonAsync(
            new LeaseRows([.. page.Leases.Select(LeaseItem.Of)], page.Next, page.Now),
            InspectorJson.Default.LeaseRows,
            cancellationToken: context.RequestAborted
        );
    }

    /// <summary>Serves <c>POST api/leases/end {resource}</c>: ends the lease, and grants it to the first waiter.</summary>
    public async Task EndAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var body = await InspectorBody.ReadAsync(context, InspectorJson.Default.EndLeaseBody);
        var resource = Named(body.Resource);
        var ended = await store.WriteAsync(
            (unit, ct) => unit.Leases.ForceReleaseAsync(resource, caller.AsOrigin(), ct),
            context.RequestAborted
        );
        if (!ended)
            throw Free(resource);
        LogEnded(caller.UserId, resource.Value);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Serves <c>POST api/leases/preempt {resource, reason, graceSeconds?}</c>: the holder receives the reason, may save until the
    /// grace period ends, and then loses the lease to the first waiter.</summary>
    public async Task PreemptAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var body = await InspectorBody.ReadAsync(context, InspectorJson.Default.PreemptLeaseBody);
        var (resource, grace) = (Named(body.Resource), TimeSpan.FromSeconds(body.GraceSeconds));
        var preempted = await store.WriteAsync(
            (unit, ct) => unit.Leases.PreemptAsync(resource, body.Reason, grace, caller.AsOrigin(), ct),
            context.RequestAborted
        );
        if (!preempted)
            throw Free(resource);
        LogPreempted(caller.UserId, resource.Value, body.GraceSeconds, body.Reason);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static ResourceName Named(string text) =>
        ResourceName.TryParse(text, out var resource)
            ? resource
            : throw new DunlinException(ErrorCode.InvalidField, "'resource' is not the name of a resource.", "resource");

    private static DunlinException Free(ResourceName resource) => new(ErrorCode.NotFound, $"Nobody holds a lease of '{resource.Value}'.");

    [LoggerMessage(
        6004,
        LogLevel.Warning,
        "Administrator {UserId} preempted the lease of {Resource} with a grace period of {GraceSeconds} s. Reason: {Reason}."
    )]
    private partial void LogPreempted(PeerText userId, PeerText resource, int graceSeconds, PeerText reason);

    [LoggerMessage(6001, LogLevel.Warning, "Administrator {UserId} ended the lease of {Resource}.")]
    private partial void LogEnded(PeerText userId, PeerText resource);
}

internal sealed record EndLeaseBody(string Resource);

internal sealed record PreemptLeaseBody(string Resource, string Reason, int GraceSeconds = 0);

internal sealed record LeaseRows(IReadOnlyList<LeaseItem> Leases, string? Next, DateTimeOffset ServerNow);

/// <summary>A lease in a list, without its secret id. Immutable.</summary>
internal sealed record LeaseItem(
    string Resource,
    long Fence,
    LeaseUser? Owner,
    DateTimeOffset AcquiredAt,
    DateTimeOffset ExpiresAt,
    int Seconds,
    bool IsEnding,
    IReadOnlyList<LeaseUser> Waiters
)
{
    public static LeaseItem Of(LeaseInfo lease) =>
        new(
            lease.Resource.Value,
            lease.FencingToken.Number,
            LeaseUser.Of(lease.Owner),
            lease.AcquiredAt,
            lease.ExpiresAt,
            (int)lease.Duration.TotalSeconds,
            lease.IsEnding,
            [.. lease.Waiters.Select(waiter => LeaseUser.Of(waiter)!)]
        );
}

internal sealed record LeaseUser(string UserId, string Name, string? Device, string? ConnectionId)
{
    public static LeaseUser? Of(LeaseOwner? owner) =>
        owner is null ? null : new(owner.UserId, owner.Name, owner.DeviceId, owner.ConnectionId);
}
