using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Sse;

/// <summary>Socket options of event streams. A response without a socket of its own, such as one of a test server, has none.</summary>
internal static class StreamSockets
{
    // The size in bytes of the kernel's send buffer for a conflating stream. Events in that buffer can no longer be superseded, and its
    // default size is megabytes.
    private const int ConflatedSendBuffer = 32 * 1024;

    // tcp(7): TCP_USER_TIMEOUT.
    private const int TcpUserTimeout = 18;

    /// <summary>Returns the socket of an HTTP/1.1 response; null if other responses share it.</summary>
    public static Socket? Own(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol) ? context.Features.Get<IConnectionSocketFeature>()?.Socket : null;

    /// <summary>Limits the send buffer for a conflating stream.</summary>
    /// <param name="socket">The socket. Null: the call has no effect. Over HTTP/2, flow control limits what the kernel buffers.</param>
    public static void LimitSendBuffer(Socket? socket)
    {
        if (socket is not null)
            socket.SendBufferSize = ConflatedSendBuffer;
    }

    /// <summary>
    /// Closes the connection when the peer has acknowledged nothing for a time although bytes were sent. Without it, the kernel reports a
    /// peer that has lost its network after about 15 minutes.
    /// </summary>
    /// <remarks>RFC 5482. Only Linux has the option; elsewhere the call has no effect.</remarks>
    /// <param name="context">The request of the stream.</param>
    /// <param name="limit">The time, in whole milliseconds.</param>
    public static void CloseWhenUnacknowledged(HttpContext context, TimeSpan limit)
    {
        if (
            !OperatingSystem.IsLinux()
            || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { ProtocolType: ProtocolType.Tcp } socket
        )
            return;
        try
        {
            var milliseconds = (int)Math.Clamp(limit.TotalMilliseconds, 1, int.MaxValue);
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes(milliseconds));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The peer is gone already: the next write reports it.
        }
    }
}
