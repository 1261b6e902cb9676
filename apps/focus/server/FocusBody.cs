using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Focus;

/// <summary>Bodies of this system's requests.</summary>
internal static class FocusBody
{
    public const int MaxBytes = 32 * 1024;

    /// <summary>Reads a body all of whose members are optional: none at all is an empty one.</summary>
    public static async ValueTask<T> ReadAsync<T>(HttpContext http)
        where T : notnull =>
        http.Request.ContentLength is 0 or null && http.Request.ContentType is null && http.Request.Headers.TransferEncoding.Count == 0
            ? RequestBody.Parse<T>(http, "{}"u8.ToArray())
            : await RequestBody.ReadAsync<T>(http, MaxBytes, http.RequestAborted);
}
