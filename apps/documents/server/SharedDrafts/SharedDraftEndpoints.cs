using System.Text.Json.Serialization;
using Dunlin.Apps.Documents.Files;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Yjs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Documents.SharedDrafts;

/// <summary>The endpoints for shared drafts: start, end, and the Yjs documents.</summary>
internal static class SharedDraftEndpoints
{
    private const int MaxBody = 1024;

    // A user may paste a whole text. Yjs adds a few bytes.
    private const int MaxUpdate = DocumentXml.MaxBytes + (64 * 1024);

    // Deleted text leaves only ids, but many separate edits of a large text need several bytes a letter.
    private const int MaxSnapshot = 4 * DocumentXml.MaxBytes;

    public static void Configure(YjsOptions options)
    {
        options.MaxUpdateBytes = MaxUpdate;
        options.MaxSnapshotBytes = MaxSnapshot;
        // Otherwise an edit that arrives during the end of a draft is stored, and nobody ever reads it.
        options.CreateOnFirstUpdate = false;
    }

    public static void Map(IEndpointRouteBuilder endpoints, RouteGroupBuilder group)
    {
        group.MapPut(
            "files/{stableId}/shared-draft",
            async (HttpContext http, string stableId, SharedDraftService drafts) =>
            {
                var caller = http.RequireCaller();
                var body = await RequestBody.ReadAsync<StartBody>(http, MaxBody, http.RequestAborted);
                var (draft, isNew) = await drafts.StartAsync(caller, stableId, body.Lease, CancellationToken.None);
                return DocumentAnswers.Json(http, draft, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
            }
        );
        group.MapDelete(
            "files/{stableId}/shared-draft/{draftId}",
            async (HttpContext http, string stableId, string draftId, SharedDraftService drafts) =>
                DocumentAnswers.Json(
                    http,
                    new EndAnswer(await drafts.EndAsync(http.RequireCaller(), stableId, draftId, CancellationToken.None))
                )
        );
        endpoints.MapYjs("/api/v1/shared-drafts").Finally(GuardWrites);
    }

    private static void GuardWrites(EndpointBuilder endpoint)
    {
        var inner = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = http =>
            HttpMethods.IsPost(http.Request.Method) || HttpMethods.IsPut(http.Request.Method) ? WriteAsync(http, inner) : inner(http);
    }

    private static async Task WriteAsync(HttpContext http, RequestDelegate inner)
    {
        var (caller, services) = (http.RequireCaller(), http.RequestServices);
        DocumentRights.RequireWriter(caller);
        // A policy would answer 403, after which a page stops to send. Edits must wait for the end of the maintenance instead.
        await services.GetRequiredService<SharedDraftService>().RequireNoMaintenanceAsync(caller, http.RequestAborted);
        var maxBytes = HttpMethods.IsPut(http.Request.Method) ? MaxSnapshot : MaxUpdate;
        using var place = await services.GetRequiredService<LargeBodies>().TakeAsync(http.Request, caller.UserId, maxBytes);
        await inner(http);
    }

    private sealed record StartBody([property: JsonPropertyName("lease")] long? Lease = null);

    private sealed record EndAnswer(bool Ended);
}
