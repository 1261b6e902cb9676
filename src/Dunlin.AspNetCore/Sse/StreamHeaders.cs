using Dunlin.Transport;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Sse;

/// <summary>Writes the headers of stream responses: no caching, transformation or buffering between server and client.</summary>
/// <remarks>HTML Living Standard, section 9.2 (server-sent events).</remarks>
internal static class StreamHeaders
{
    public const string ContentType = "text/event-stream; charset=utf-8";

    // Firefox and some proxies hold back a response until its first bytes. This comment makes them deliver it at once.
    public static readonly ReadOnlyMemory<byte> FirstBytes = ":\n\n"u8.ToArray();

    /// <summary>Returns whether the sink writes the chunks of this response. This requires HTTP/1.1, and no middleware (such as
    /// compression) between the response and the server.</summary>
    public static bool AreChunkedByUs(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol)
        && context.Features.Get<IHttpResponseBodyFeature>() is { } body
        && ReferenceEquals(body, context.Features.Get<IHttpResponseFeature>());

    /// <summary>Returns the connection if a response with own chunks can take over its socket, or null. This requires a connection without
    /// TLS and without other middleware that changes or monitors its bytes.</summary>
    public static DirectConnection? DirectConnection(HttpContext context) =>
        (context.Features.Get<IConnectionTransportFeature>()?.Transport.Output as SocketPipeWriter)?.Connection;

    /// <summary>Sets the headers that do not depend on the connection.</summary>
    public static void Apply(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-cache, no-store, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <param name="context">The request.</param>
    /// <param name="connectionId">The connection id of the stream.</param>
    /// <param name="sink">The sink of the body.</param>
    public static void Apply(HttpContext context, string connectionId, PipeFrameSink sink)
    {
        var response = context.Response;
        Apply(response);
        response.Headers["Dunlin-Connection"] = connectionId;
        if (sink.IsChunked)
            response.Headers.TransferEncoding = "chunked";
        // The server then stops reading requests after this response, and the socket can be taken over.
        if (sink.Direct is not null)
            response.Headers.Connection = "close";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }
}
