using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Dunlin.Sse;

/// <summary>A faster way out for servers with many event streams.</summary>
public static class DirectSend
{
    /// <summary>
    /// Sends responses of this endpoint on the thread that flushes them, as long as the peer's window takes them. It stands
    /// below HTTP and TLS, which stay as they are, so call it before <c>UseHttps</c>:
    /// <code>kestrel.ConfigureEndpointDefaults(listen => listen.UseDirectSend());</code>
    /// On transports without a socket it changes nothing.
    /// </summary>
    public static ListenOptions UseDirectSend(this ListenOptions listen)
    {
        ((IConnectionBuilder)listen).Use(next => context => ServeAsync(context, next));
        return listen;
    }

    private static async Task ServeAsync(ConnectionContext context, ConnectionDelegate next)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
        {
            await next(context);
            return;
        }
        // Without it a send that the window does not take would block this thread instead of telling.
        socket.Blocking = false;
        var transport = context.Transport;
        var output = new SocketPipeWriter(socket);
        context.Transport = new Duplex(transport.Input, output);
        try
        {
            await next(context);
            // What the peer has not taken yet goes out before the socket is shut; an abort ends it too.
            await output.DrainAsync();
        }
        finally
        {
            context.Transport = transport;
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
