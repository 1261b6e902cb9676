using System.Text.Json.Serialization;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Documents.Locks;

/// <summary>The endpoints for locks. Each request contains the file and, if the page has it, the fencing token as <c>lease</c>.</summary>
internal static class LockEndpoints
{
    private const int MaxBody = 1024;

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet(
            "files/locks",
            async (HttpContext http, FileLocks locks) =>
                DocumentAnswers.Json(http, await locks.ListAsync(http.RequireCaller(), http.RequestAborted))
        );
        group.MapPost(
            "files/acquire_lock",
            async (HttpContext http, FileLocks locks) =>
            {
                var caller = http.RequireCaller();
                var body = await RequestBody.ReadAsync<AcquireBody>(http, MaxBody, http.RequestAborted);
                var grant = await locks.AcquireAsync(caller, body.FileId, body.Wait ?? false, CancellationToken.None);
                return DocumentAnswers.Json(http, grant, grant.Lease is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
            }
        );
        group.MapPost(
            "files/heartbeat",
            async (HttpContext http, FileLocks locks) =>
            {
                var (caller, body) = (http.RequireCaller(), await RequestBody.ReadAsync<LockBody>(http, MaxBody, http.RequestAborted));
                return DocumentAnswers.Json(http, await locks.HeartbeatAsync(caller, body.FileId, body.Lease, CancellationToken.None));
            }
        );
        group.MapPost(
            "files/release_lock",
            async (HttpContext http, FileLocks locks) =>
            {
                var (caller, body) = (http.RequireCaller(), await RequestBody.ReadAsync<LockBody>(http, MaxBody, http.RequestAborted));
                return DocumentAnswers.Json(
                    http,
                    new ReleaseAnswer(await locks.ReleaseAsync(caller, body.FileId, body.Lease, CancellationToken.None))
                );
            }
        );
        group.MapPost(
            "files/check_lock",
            async (HttpContext http, FileLocks locks) =>
            {
                var (caller, body) = (http.RequireCaller(), await RequestBody.ReadAsync<CheckBody>(http, MaxBody, http.RequestAborted));
                return DocumentAnswers.Json(http, await locks.CheckAsync(caller, body.FileId, http.RequestAborted));
            }
        );
        group.MapPost(
            "files/{stableId}/force-release",
            async (HttpContext http, string stableId, FileLocks locks) =>
                DocumentAnswers.Json(
                    http,
                    new ReleaseAnswer(await locks.ForceReleaseAsync(http.RequireCaller(), stableId, http.RequestAborted))
                )
        );
    }

    private sealed record AcquireBody(
        [property: JsonPropertyName("file_id")] string FileId,
        [property: JsonPropertyName("wait")] bool? Wait = null
    );

    private sealed record LockBody(
        [property: JsonPropertyName("file_id")] string FileId,
        [property: JsonPropertyName("lease")] long? Lease = null
    );

    private sealed record CheckBody([property: JsonPropertyName("file_id")] string FileId);

    private sealed record ReleaseAnswer(bool Released);
}
