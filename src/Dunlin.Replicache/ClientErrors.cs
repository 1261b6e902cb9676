using Microsoft.AspNetCore.Http;

namespace Dunlin.Replicache;

/// <summary>Contains the error responses that the Replicache client handles itself. Their HTTP status is 200.</summary>
internal static class ClientErrors
{
    /// <summary>Gets the response that makes the client discard its group and start a new one.</summary>
    public static IResult ClientStateNotFound { get; } = Results.Json(new { error = "ClientStateNotFound" });

    /// <summary>Returns the response that makes the page reload to get newer code.</summary>
    public static IResult VersionNotSupported(string versionType) => Results.Json(new { error = "VersionNotSupported", versionType });
}
