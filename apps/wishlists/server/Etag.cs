using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Wishlists;

/// <summary>Versions as ETags (RFC 9110, 8.8.3).</summary>
internal static class Etag
{
    public static IResult Answer<T>(HttpContext http, Versioned<T> versioned)
    {
        http.Response.Headers.ETag = IfMatch.TagOf(versioned.Version);
        http.Response.Headers.CacheControl = "no-cache";
        return Results.Ok(versioned.Document);
    }

    public static void Require(IfMatch? expected, long version)
    {
        if (expected?.Allows(version) == false)
        {
            throw new DunlinException(ErrorCode.VersionMismatch)
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["version"] = version },
            };
        }
    }
}
