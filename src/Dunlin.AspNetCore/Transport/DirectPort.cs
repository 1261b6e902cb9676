using System.Buffers;
using System.Threading.Channels;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Dunlin.Transport;

/// <summary>What the connections of one listener share. Thread-safe.</summary>
/// <param name="pool">The memory pool of received bytes.</param>
/// <param name="options">The options of the transport.</param>
/// <param name="open">The counter of open sockets.</param>
internal sealed class DirectPort(MemoryPool<byte> pool, SocketTransportOptions options, OpenSockets open)
{
    private readonly Channel<DirectConnection> _returned = Channel.CreateUnbounded<DirectConnection>(
        new UnboundedChannelOptions { SingleReader = true }
    );

    public MemoryPool<byte> Pool => pool;

    public SocketTransportOptions Options => options;

    public OpenSockets Open => open;

    /// <summary>Gets the connections that wait for the listener: their sockets had left Kestrel and continue with the next
    /// request.</summary>
    public ChannelReader<DirectConnection> Returned => _returned.Reader;

    /// <summary>Offers a connection to Kestrel as a new one. Closes it if the listener no longer accepts connections.</summary>
    public void Return(DirectConnection connection)
    {
        open.Return();
        if (!_returned.Writer.TryWrite(connection))
            connection.Close(abortive: false);
    }

    /// <summary>Closes the connections that wait, and all that are returned later.</summary>
    public void Stop()
    {
        _returned.Writer.TryComplete();
        while (_returned.Reader.TryRead(out var connection))
            connection.Close(abortive: false);
    }
}
