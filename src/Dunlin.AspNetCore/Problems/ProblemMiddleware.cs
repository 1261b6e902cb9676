using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Problems;

/// <summary>Marks an endpoint that writes its own problems with <see cref="Problem.WriteAsync"/>. Immutable.</summary>
/// <remarks>The middleware calls such an endpoint without an async state machine of its own. A stream would otherwise keep that state
/// machine in memory until it closes.</remarks>
public sealed class WritesOwnProblems
{
    /// <summary>Gets the shared instance.</summary>
    public static WritesOwnProblems Instance { get; } = new();
}

internal sealed class ProblemMiddleware(RequestDelegate next, IOptions<ProblemOptions> options)
{
    private const int MaxPath = 200;

    private readonly PathString[] _apiPaths = [.. options.Value.ApiPaths.Select(path => new PathString(path))];

    public Task InvokeAsync(HttpContext context) =>
        HttpMethods.GetCanonicalizedValue(context.Request.Method) is var method && method != context.Request.Method
            ? Problem.WriteAsync(context, WrongCase(context.Request.Method, method))
        : context.GetEndpoint()?.Metadata.GetMetadata<WritesOwnProblems>() is null ? Guard(context)
        : next(context);

    private async Task Guard(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // the client has disconnected
        }
        catch (Exception exception)
        {
            await Problem.WriteAsync(context, exception);
            return;
        }
        var response = context.Response;
        if (
            response.StatusCode >= StatusCodes.Status400BadRequest
            && IsEmpty(response)
            && IsApi(context.Request.Path)
            && ProblemTranslation.OfStatus(response.StatusCode, DetailOf(context)) is { } problem
        )
            await Problem.WriteAsync(context, problem);
    }

    // RFC 9110, section 9.1: methods are case-sensitive. Routing ignores case, and endpoints write no body for "HeAD" although the web
    // server sends one: the response would end too early.
    private static DunlinException WrongCase(string method, string canonical) =>
        new(ErrorCode.InvalidField, $"The method must be written '{canonical}', not '{method}'.");

    // Routing sets these statuses without a text.
    private static string? DetailOf(HttpContext context)
    {
        var path = context.Request.Path.Value is { Length: <= MaxPath } text ? text : "the requested path";
        return context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"No resource at '{path}'.",
            StatusCodes.Status405MethodNotAllowed => $"'{path}' does not support {context.Request.Method}.",
            _ => null,
        };
    }

    private static bool IsEmpty(HttpResponse response) =>
        !response.HasStarted && response.ContentLength is null or 0 && response.ContentType is null;

    private bool IsApi(PathString path) => Array.Exists(_apiPaths, prefix => path.StartsWithSegments(prefix));
}
