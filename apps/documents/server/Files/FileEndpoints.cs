using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Apps.Documents.Files;

/// <summary>The endpoints for files: list, read, history, save, import, delete, promote.</summary>
internal static class FileEndpoints
{
    private const int MaxBody = 64 * 1024;

    // The limit is that of the document. Some JSON writers use six characters for an angle bracket or a quotation mark, and a document of
    // only these must fit.
    private const int MaxSaveBody = (6 * DocumentXml.MaxBytes) + MaxBody;

    private const int MaxFilesPerDeletion = 100;
    private const int MaxLabel = 80;
    private const int MaxTitle = 200;
    private const int MaxVariant = 40;

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet(
            "files/list",
            async (HttpContext http, DocumentReads reads) =>
                DocumentAnswers.Json(
                    http,
                    await reads.ListAsync(http.RequireCaller(), Variant(http.Request.Query["variant"]), http.RequestAborted)
                )
        );
        group.MapGet("files/{stableId}", ReadAsync);
        group.MapGet(
            "files/{stableId}/history",
            async (HttpContext http, string stableId, DocumentReads reads) =>
                DocumentAnswers.Json(http, await reads.HistoryAsync(http.RequireCaller(), stableId, http.RequestAborted))
        );
        group.MapPost("files/save", SaveAsync);
        group.MapPost("files/import", ImportAsync);
        group.MapPost("files/delete", DeleteAsync);
        group.MapPost("files/restore", RestoreAsync);
        group.MapDelete(
            "files/{stableId}/gold-standard",
            async (HttpContext http, string stableId, DocumentSaves saves) =>
            {
                await saves.DemoteAsync(http.RequireCaller(), stableId, http.RequestAborted);
                return Results.NoContent();
            }
        );
        group.MapPost(
            "files/{stableId}/gold-standard",
            async (HttpContext http, string stableId, DocumentSaves saves) =>
            {
                await saves.PromoteAsync(http.RequireCaller(), stableId, http.RequestAborted);
                return Results.NoContent();
            }
        );
    }

    private static async Task<IResult> ReadAsync(HttpContext http, string stableId, DocumentReads reads)
    {
        var known = http.Request.Headers.IfNoneMatch;
        var (file, content) = await reads.ReadAsync(http.RequireCaller(), stableId, tag => Matches(known, tag), http.RequestAborted);
        var headers = http.Response.Headers;
        headers.ETag = file.ETag;
        headers.CacheControl = "private, no-cache";
        headers.Vary = "Authorization, Cookie";
        var isSource = file.Kind == FileKind.Source;
        // A browser may display the text directly, so scripts in it must not run. A source is displayed in a frame of the page.
        headers.ContentSecurityPolicy = isSource ? "frame-ancestors 'self'" : "default-src 'none'; sandbox; frame-ancestors 'none'";
        return content is null
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Bytes(content, isSource ? "application/pdf" : "application/xml; charset=utf-8");
    }

    private static bool Matches(Microsoft.Extensions.Primitives.StringValues known, string tag) =>
        EntityTagHeaderValue.TryParseList(known, out var tags)
        && tags.Any(t => t.Equals(EntityTagHeaderValue.Any) || t.Compare(new EntityTagHeaderValue(tag), useStrongComparison: false));

    private static async Task<IResult> SaveAsync(HttpContext http, DocumentSaves saves, LargeBodies bodies)
    {
        var caller = http.RequireCaller();
        // Check before reading the large body. The unit of work checks the permissions on the file itself.
        DocumentRights.RequireWriter(caller);
        using var place = await bodies.TakeAsync(http.Request, caller.UserId, MaxSaveBody);
        var body = await RequestBody.ReadAsync<SaveBody>(http, MaxSaveBody, http.RequestAborted);
        var request = new SaveRequest(
            body.FileId,
            body.XmlString,
            body.NewVersion ?? false,
            body.NewGold ?? false,
            body.Lease,
            body.SharedDraft,
            IfMatch.Of(http.Request),
            Text(body.Label ?? "", "label", 0, MaxLabel)
        );
        // Ignore the request's cancellation: a save completes although the user left the page.
        var answer = await saves.SaveAsync(caller, request, CancellationToken.None);
        http.Response.Headers.ETag = answer.Etag;
        return DocumentAnswers.Json(http, answer, answer.Status == "saved" ? StatusCodes.Status200OK : StatusCodes.Status201Created);
    }

    private static async Task<IResult> ImportAsync(HttpContext http, DocumentSaves saves, LargeBodies bodies)
    {
        var caller = http.RequireCaller();
        DocumentRights.RequireImport(caller);
        using var place = await bodies.TakeAsync(http.Request, caller.UserId, MaxSaveBody);
        var body = await RequestBody.ReadAsync<ImportBody>(http, MaxSaveBody, http.RequestAborted);
        var answer = await saves.ImportAsync(
            caller,
            body.Collection,
            Text(body.Title, "title", 1, MaxTitle),
            Variant(body.Variant) ?? "default",
            body.XmlString,
            CancellationToken.None
        );
        return DocumentAnswers.Json(http, answer, StatusCodes.Status201Created);
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, DocumentDeletion deletion)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<DeleteBody>(http, MaxBody, http.RequestAborted);
        CheckFiles(body.Files);
        if (body.Leases?.Keys.FirstOrDefault(id => !body.Files.Contains(id, StringComparer.Ordinal)) is { } stranger)
            throw new DunlinException(ErrorCode.UnknownField, "'leases' has a file id that 'files' does not have.", $"leases.{stranger}");
        await deletion.DeleteAsync(caller, body.Files, body.Leases ?? [], http.RequestAborted);
        return DocumentAnswers.Json(http, new DeleteAnswer(body.Files));
    }

    private static async Task<IResult> RestoreAsync(HttpContext http, DocumentDeletion deletion)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<RestoreBody>(http, MaxBody, http.RequestAborted);
        CheckFiles(body.Files);
        await deletion.RestoreAsync(caller, body.Files, http.RequestAborted);
        return DocumentAnswers.Json(http, new RestoreAnswer(body.Files));
    }

    private static void CheckFiles(IReadOnlyList<string> files)
    {
        if (files.Count is 0 or > MaxFilesPerDeletion)
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"'files' must have 1 to {MaxFilesPerDeletion} file ids, not {files.Count}.",
                "files"
            );
    }

    private static string? Variant(string? variant) =>
        variant switch
        {
            null or "" => null,
            { Length: <= MaxVariant } when variant.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') => variant,
            _ => throw new DunlinException(
                ErrorCode.InvalidField,
                $"'variant' must have 1 to {MaxVariant} letters, digits and ._-",
                "variant"
            ),
        };

    internal static string Text(string text, string field, int min, int max)
    {
        var trimmed = text.Trim();
        return trimmed.Length >= min && trimmed.Length <= max && !trimmed.Any(char.IsControl)
            ? trimmed
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must be one line of {min} to {max} characters.", field);
    }

    private sealed record SaveBody(
        [property: JsonPropertyName("xml_string")] string XmlString,
        [property: JsonPropertyName("file_id")] string FileId,
        [property: JsonPropertyName("new_version")] bool? NewVersion = null,
        [property: JsonPropertyName("new_gold")] bool? NewGold = null,
        [property: JsonPropertyName("lease")] long? Lease = null,
        [property: JsonPropertyName("shared_draft")] string? SharedDraft = null,
        [property: JsonPropertyName("label")] string? Label = null
    );

    private sealed record ImportBody(
        [property: JsonPropertyName("xml_string")] string XmlString,
        [property: JsonPropertyName("collection")] string Collection,
        [property: JsonPropertyName("title")] string Title,
        [property: JsonPropertyName("variant")] string? Variant = null
    );

    private sealed record DeleteBody(
        [property: JsonPropertyName("files")] IReadOnlyList<string> Files,
        [property: JsonPropertyName("leases")] Dictionary<string, long>? Leases = null
    );

    private sealed record RestoreBody([property: JsonPropertyName("files")] IReadOnlyList<string> Files);

    private sealed record RestoreAnswer(IReadOnlyList<string> Restored);

    private sealed record DeleteAnswer(IReadOnlyList<string> Deleted);
}
