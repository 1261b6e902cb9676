using System.Text.Json.Serialization;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Documents.SharedDrafts;

/// <summary>The endpoints for shared drafts: start, end, and the Yjs documents.</summary>
internal static class SharedDraftEndpoints
{
    private const int MaxBody = 1024;

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
        endpoints.MapYjs("/api/v1/shared-drafts").Finally(RefuseDuringMaintenance);
    }

    // A policy answers 403, after which a page stops to send. Edits must wait for the end of the maintenance instead.
    private static void RefuseDuringMaintenance(EndpointBuilder endpoint)
    {
        var inner = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = async http =>
        {
            if (HttpMethods.IsPost(http.Request.Method) || HttpMethods.IsPut(http.Request.Method))
            {
                var drafts = http.RequestServices.GetRequiredService<SharedDraftService>();
                await drafts.RequireNoMaintenanceAsync(http.RequireCaller(), http.RequestAborted);
            }
            await inner(http);
        };
    }

    private sealed record StartBody([property: JsonPropertyName("lease")] long? Lease = null);

    private sealed record EndAnswer(bool Ended);
}
