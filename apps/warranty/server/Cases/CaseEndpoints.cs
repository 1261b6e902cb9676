using System.Text.Json;
using Dunlin.Apps.Warranty.Search;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Warranty.Cases;

internal static class CaseEndpoints
{
    private const int MaxBody = 64 * 1024;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/warranty").WithTags("Warranty");
        group.MapGet(
            "branches",
            (HttpContext http, CaseService cases) => cases.BranchesAsync(http.RequireCaller(), http.RequestAborted).AsTask()
        );
        group.MapGet(
            "branches/{branchId:long}/cases",
            (HttpContext http, long branchId, CaseService cases) =>
                cases.ListAsync(http.RequireCaller(), branchId, CaseQuery.Of(http.Request), http.RequestAborted).AsTask()
        );
        group.MapPost("branches/{branchId:long}/cases", CreateAsync);
        group.MapGet(
            "branches/{branchId:long}/staff",
            (HttpContext http, long branchId, CaseService cases) =>
                cases.StaffAsync(http.RequireCaller(), branchId, http.RequestAborted).AsTask()
        );
        group.MapGet(
            "cases/{id:long}",
            (HttpContext http, long id, CaseService cases) => cases.FindAsync(http.RequireCaller(), id, http.RequestAborted).AsTask()
        );
        group.MapPatch("cases/{id:long}", UpdateAsync);
        group.MapDelete(
            "cases/{id:long}",
            async (HttpContext http, long id, CaseService cases) =>
            {
                await cases.DeleteAsync(http.RequireCaller(), id, http.RequestAborted);
                return Results.NoContent();
            }
        );
        group.MapPost(
            "cases/{id:long}/transfer",
            async (HttpContext http, long id, CaseService cases) =>
            {
                var caller = http.RequireCaller();
                var body = await RequestBody.ReadAsync<TransferBody>(http, MaxBody, http.RequestAborted);
                return await cases.TransferAsync(caller, id, body.ToBranchId, http.RequestAborted);
            }
        );
        group.MapGet(
            "cases/{id:long}/history",
            (HttpContext http, long id, CaseService cases) => cases.HistoryAsync(http.RequireCaller(), id, http.RequestAborted).AsTask()
        );
    }

    private static async Task<IResult> CreateAsync(HttpContext http, long branchId, CaseService cases)
    {
        var caller = http.RequireCaller();
        var values = await RequestBody.ReadAsync<Dictionary<string, JsonElement>>(http, MaxBody, http.RequestAborted);
        var created = await cases.CreateAsync(caller, branchId, values, http.RequestAborted);
        return Results.Created($"/api/warranty/cases/{created.Id}", created);
    }

    private static async Task<UpdateAnswer> UpdateAsync(HttpContext http, long id, CaseService cases)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<UpdateBody>(http, MaxBody, http.RequestAborted);
        if (body.Updates.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "'updates' is empty. Name at least one field.", "updates");
        // Ignore the request's cancellation: a save completes although the user left the page.
        return await cases.UpdateAsync(
            caller,
            id,
            body.Updates,
            body.Version is { } version ? IfMatch.Version(version) : IfMatch.Of(http.Request),
            body.Leases ?? [],
            body.Release,
            CancellationToken.None
        );
    }

    private sealed record UpdateBody(
        Dictionary<string, JsonElement> Updates,
        long? Version = null,
        Dictionary<string, LeaseProof>? Leases = null,
        bool Release = false
    );

    private sealed record TransferBody(long ToBranchId);
}
