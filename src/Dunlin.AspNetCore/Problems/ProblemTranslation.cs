using System.Diagnostics;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Problems;

/// <summary>Finds the row of the error table for what ASP.NET Core and System.Text.Json throw or answer.</summary>
internal static class ProblemTranslation
{
    /// <summary>
    /// Where the fault of reading a request body is first thrown: in the server, in its readers of forms, or in the pipe that hands a
    /// fault of the server or of the transport on. The types are general ones (a chunk size that overflows is an
    /// <see cref="IOException"/>), which a failing disk has too, so the place decides.
    /// </summary>
    private static readonly HashSet<string> BodyReaders = new(StringComparer.Ordinal)
    {
        "Microsoft.AspNetCore.Server.Kestrel.Core",
        "Microsoft.AspNetCore.WebUtilities",
        "Microsoft.AspNetCore.Http",
        "System.IO.Pipelines",
    };

    /// <summary>The error to show; null for what is nobody's fault but the server's.</summary>
    public static DunlinException? Translate(Exception exception) =>
        exception switch
        {
            DunlinException known => known,
            BadHttpRequestException { InnerException: JsonException json } => Translate(json),
            // Kestrel's own texts (unexpected end, bad chunk, too slow) name nothing of the server.
            BadHttpRequestException bad => OfStatus(bad.StatusCode, bad.Message)
                ?? new DunlinException(ErrorCode.InvalidField, bad.Message),
            JsonException json => JsonFault.Of(json),
            IOException or InvalidDataException when IsOfBody(exception) => new DunlinException(
                ErrorCode.InvalidField,
                $"The request body cannot be read: {exception.Message}",
                innerException: exception
            ),
            _ => null,
        };

    // The framework's own frame comes first where a stored exception is thrown again.
    private static bool IsOfBody(Exception exception) =>
        new StackTrace(exception)
            .GetFrames()
            .Select(static frame => frame.GetMethod()?.Module.Assembly)
            .FirstOrDefault(static assembly => assembly is not null && assembly != typeof(object).Assembly)
            ?.GetName()
            .Name
            is { } thrower
        && BodyReaders.Contains(thrower);

    /// <summary>The error for a status that was set without a body; null for one that says no more than itself.</summary>
    public static DunlinException? OfStatus(int status, string? detail = null) =>
        status switch
        {
            StatusCodes.Status400BadRequest => new(ErrorCode.InvalidField, detail ?? "The request is invalid."),
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
