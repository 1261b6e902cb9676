using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Problems;

/// <summary>Maps exceptions and status codes of ASP.NET Core and System.Text.Json to rows of the error table.</summary>
internal static class ProblemTranslation
{
    /// <summary>The assemblies that first throw when a request body cannot be read: the server, its form readers, or the pipe that forwards
    /// a fault of the transport. The exception types are general: a chunk size that overflows is an <see cref="IOException"/>, and so is a
    /// disk fault. The throwing assembly therefore decides.</summary>
    private static readonly HashSet<string> BodyReaders = new(StringComparer.Ordinal)
    {
        "Microsoft.AspNetCore.Server.Kestrel.Core",
        "Microsoft.AspNetCore.WebUtilities",
        "Microsoft.AspNetCore.Http",
        "System.IO.Pipelines",
    };

    /// <summary>Returns the error to show, or null if the exception is a fault of the server.</summary>
    public static DunlinException? Translate(Exception exception) =>
        exception switch
        {
            DunlinException known => known,
            BadHttpRequestException { InnerException: JsonException json } => Translate(json),
            // The messages of Kestrel (unexpected end, bad chunk, too slow) reveal nothing about the server.
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

    // Skips frames of the core library: a rethrown stored exception starts with a frame of ExceptionDispatchInfo.
    private static bool IsOfBody(Exception exception) =>
        new StackTrace(exception)
            .GetFrames()
            .Select(static frame => DiagnosticMethodInfo.Create(frame)?.DeclaringAssemblyName)
            .FirstOrDefault(static assembly => assembly is not null && assembly != typeof(object).Assembly.FullName)
            is { } thrower
        && BodyReaders.Contains(new AssemblyName(thrower).Name!);

    /// <summary>Returns the error for a status that was set without a body, or null if the table has no row for that status.</summary>
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
