using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Transport;

/// <summary>Creates Dunlin's listeners for Kestrel: TCP, Unix sockets and inherited handles, with the options of Kestrel's own
/// transport.</summary>
internal sealed class DirectListenerFactory(
    IMemoryPoolFactory<byte> pools,
    IOptions<SocketTransportOptions> transport,
    IOptions<KestrelServerOptions> kestrel,
    ILogger<DirectListener> logger,
    TimeProvider? time = null
) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Gets the counter of the open sockets of all addresses.</summary>
    public OpenSockets Open { get; } = new();

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or UnixDomainSocketEndPoint or FileHandleEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket;
        try
        {
            socket = transport.Value.CreateBoundListenSocket(endpoint);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(exception.Message, exception);
        }
        socket.Listen(transport.Value.Backlog);
        return new(
            new DirectListener(
                socket,
                new DirectPort(pools.Create(), transport.Value, Open),
                kestrel.Value.Limits.MaxConcurrentConnections,
                time ?? TimeProvider.System,
                logger
            )
        );
    }
}
