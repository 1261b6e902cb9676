using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Focus;

/// <summary>Reads the request bodies of this system.</summary>
internal static class FocusBody
{
    public const int MaxBytes = 32 * 1024;

    /// <summary>Reads a body with optional members only. A missing body counts as an empty one.</summary>
    public static async ValueTask<T> ReadAsync<T>(HttpContext http)
        where T : notnull =>
        http.Request.ContentLength is 0 or null && http.Request.ContentType is null && http.Request.Headers.TransferEncoding.Count == 0
            ? RequestBody.Parse<T>(http, "{}"u8.ToArray())
            : await RequestBody.ReadAsync<T>(http, MaxBytes, http.RequestAborted);
}
