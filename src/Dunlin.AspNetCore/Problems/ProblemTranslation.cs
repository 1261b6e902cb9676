using System.Text.Json;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Problems;

/// <summary>Finds the row of the error table for what ASP.NET Core and System.Text.Json throw or answer.</summary>
internal static class ProblemTranslation
{
    /// <summary>The error to show; null for what is nobody's fault but the server's.</summary>
    public static DunlinException? Translate(Exception exception) => exception switch
    {
        DunlinException known => known,
        BadHttpRequestException { InnerException: JsonException json } => Translate(json),
        // Kestrel's own texts (unexpected end, bad chunk, too slow) name nothing of the server.
        BadHttpRequestException bad => OfStatus(bad.StatusCode, bad.Message) ?? new DunlinException(ErrorCode.InvalidField, bad.Message),
        JsonException json => JsonFault.Of(json),
        _ => null,
    };

    /// <summary>The error for a status that was set without a body; null for one that says no more than itself.</summary>
    public static DunlinException? OfStatus(int status, string? detail = null) => status switch
    {
        StatusCodes.Status400BadRequest => new(ErrorCode.InvalidField, detail ?? "The request is not valid."),
        StatusCodes.Status401Unauthorized => new(ErrorCode.NotSignedIn, detail),
        StatusCodes.Status403Forbidden => new(ErrorCode.Forbidden, detail),
        StatusCodes.Status404NotFound => new(ErrorCode.NotFound, detail),
        StatusCodes.Status405MethodNotAllowed => new(ErrorCode.MethodNotAllowed, detail),
        StatusCodes.Status413PayloadTooLarge => new(ErrorCode.TooLarge, detail),
        StatusCodes.Status415UnsupportedMediaType => new(ErrorCode.UnsupportedMediaType, detail),
        StatusCodes.Status429TooManyRequests => new(ErrorCode.TooManyRequests, detail),
        StatusCodes.Status500InternalServerError => new(ErrorCode.Internal, detail),
        StatusCodes.Status503ServiceUnavailable => new(ErrorCode.StoreUnavailable, detail),
        _ => null,
    };
}
