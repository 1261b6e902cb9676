using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Sse;

/// <summary>The head of every stream response: no cache, no transformation and no buffering on the way.</summary>
internal static class StreamHeaders
{
    public const string ContentType = "text/event-stream; charset=utf-8";

    // Firefox and some proxies hold back a response until its first bytes: a comment, followed at once by what there is.
    public static readonly ReadOnlyMemory<byte> FirstBytes = ":\n\n"u8.ToArray();

    /// <summary>Whether this response's chunks are written by us: plain HTTP/1.1 only.</summary>
    public static bool AreChunkedByUs(HttpContext context) => HttpProtocol.IsHttp11(context.Request.Protocol);

    public static void Apply(HttpContext context, string connectionId)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-cache, no-store, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        response.Headers["Dunlin-Connection"] = connectionId;
        if (AreChunkedByUs(context))
            response.Headers.TransferEncoding = "chunked";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }
}
