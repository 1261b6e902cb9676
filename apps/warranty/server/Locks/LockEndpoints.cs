using System.Text.Json.Serialization;
using Dunlin.Apps.Warranty.Cases;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Warranty.Locks;

/// <summary>
/// The endpoints for the lock of one field: <c>PUT</c> acquires, <c>POST</c> renews, <c>DELETE</c> releases it. A lock lasts 30 seconds.
/// </summary>
internal sealed class LockEndpoints(IStore store, LeaseService leases)
{
    private const int MaxBody = 1024;
    private static readonly LeaseDuration LockDuration = LeaseDuration.FromSeconds(30);
    private const string Route = "/api/warranty/cases/{id:long}/locks/{field}";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapPut(Route, (HttpContext http, long id, string field, LockEndpoints locks) => locks.AcquireAsync(http, id, field))
            .WithTags("Warranty");
        endpoints
            .MapPost(Route, (HttpContext http, long id, string field, LockEndpoints locks) => locks.RenewAsync(http, id, field))
            .WithTags("Warranty");
        endpoints
            .MapDelete(Route, (HttpContext http, long id, string field, LockEndpoints locks) => locks.ReleaseAsync(http, id, field))
            .WithTags("Warranty");
    }

    private async Task<IResult> AcquireAsync(HttpContext http, long id, string field)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<AcquireBody>(http, MaxBody, http.RequestAborted);
        var request = new LeaseRequest(
            await ResourceAsync(caller, id, field, http.RequestAborted),
            LeaseRequest.CheckId(body.LeaseId),
            LeaseRequest.OwnerOf(caller),
            body.Seconds is { } seconds ? LeaseDuration.FromSeconds(seconds) : LockDuration
        );
        var result = (await leases.AcquireAsync(request, caller.AsOrigin())).OrThrow();
        var view = LeaseView.Of(result);
        return result.Status == LeaseStatus.Granted ? Results.Created((string?)null, view) : Results.Ok(view);
    }

    private async Task<LeaseView> RenewAsync(HttpContext http, long id, string field)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<RenewBody>(http, MaxBody, http.RequestAborted);
        var resource = await ResourceAsync(caller, id, field, http.RequestAborted);
        var result = await leases.RenewAsync(
            new LeaseClaim(resource, LeaseRequest.CheckId(body.LeaseId), caller.UserId, body.FencingToken),
            origin: caller.AsOrigin()
        );
        return LeaseView.Of(result);
    }

    private async Task<IResult> ReleaseAsync(HttpContext http, long id, string field)
    {
        var caller = http.RequireCaller();
        var resource = await ResourceAsync(caller, id, field, http.RequestAborted);
        var leaseId = LeaseRequest.CheckId(http.Request.Headers["Dunlin-Lease"]);
        await leases.ReleaseAsync(new LeaseClaim(resource, leaseId, caller.UserId), caller.AsOrigin());
        return Results.NoContent();
    }

    private ValueTask<ResourceName> ResourceAsync(Caller caller, long id, string field, CancellationToken cancellationToken)
    {
        var name = CaseField.Find(field).Name;
        return store.ReadAsync(
            async (scope, _) =>
            {
                var found = await CaseRows.RequireAsync(scope.Connection, null, id);
                await WarrantyAccess.RequireAsync(caller, scope.Connection, null, found.BranchId);
                return WarrantyNames.Lock(found.BranchId, id, name);
            },
            cancellationToken
        );
    }

    private sealed record AcquireBody(string LeaseId, int? Seconds = null);

    private sealed record RenewBody(string LeaseId, [property: JsonPropertyName("fence")] long FencingToken, int? Seconds = null);
}
