using Microsoft.AspNetCore.Http;

namespace Dunlin.Replicache;

/// <summary>The answers that the client understands as more than a failure. They travel with status 200.</summary>
internal static class ClientErrors
{
    /// <summary>Makes the client give up its group and begin another one.</summary>
    public static IResult ClientStateNotFound { get; } = Results.Json(new { error = "ClientStateNotFound" });

    /// <summary>Makes the page reload to get newer code.</summary>
    public static IResult VersionNotSupported(string versionType) => Results.Json(new { error = "VersionNotSupported", versionType });
}
