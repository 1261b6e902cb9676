using Dunlin.Transport;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Sse;

/// <summary>The head of every stream response: no cache, no transformation and no buffering on the way.</summary>
internal static class StreamHeaders
{
    public const string ContentType = "text/event-stream; charset=utf-8";

    // Firefox and some proxies hold back a response until its first bytes: a comment, followed at once by what there is.
    public static readonly ReadOnlyMemory<byte> FirstBytes = ":\n\n"u8.ToArray();

    /// <summary>Whether this response's chunks are written by us: HTTP/1.1 only, and where no middleware (compression, say)
    /// stands between the response and the server.</summary>
    public static bool AreChunkedByUs(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol)
        && context.Features.Get<IHttpResponseBodyFeature>() is { } body
        && ReferenceEquals(body, context.Features.Get<IHttpResponseFeature>());

    /// <summary>The connection, where a response whose chunks are ours can take its socket over: no TLS, and nothing else that
    /// changes or watches the bytes of the connection.</summary>
    public static DirectConnection? DirectConnection(HttpContext context) =>
        (context.Features.Get<IConnectionTransportFeature>()?.Transport.Output as SocketPipeWriter)?.Connection;

    /// <summary>The headers that do not depend on the connection.</summary>
    public static void Apply(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-cache, no-store, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <param name="context">The request.</param>
    /// <param name="connectionId">The id of the stream.</param>
    /// <param name="sink">Where the body is written to.</param>
    public static void Apply(HttpContext context, string connectionId, PipeFrameSink sink)
    {
        var response = context.Response;
        Apply(response);
        response.Headers["Dunlin-Connection"] = connectionId;
        if (sink.IsChunked)
            response.Headers.TransferEncoding = "chunked";
        // The server then ends its side with this response, and the socket can be taken over.
        if (sink.Direct is not null)
            response.Headers.Connection = "close";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }
}
