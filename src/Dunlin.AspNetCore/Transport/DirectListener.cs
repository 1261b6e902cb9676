using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Dunlin.Transport;

/// <summary>Accepts connections at one address.</summary>
internal sealed partial class DirectListener(
    Socket socket, MemoryPool<byte> pool, SocketTransportOptions options, OpenSockets open, long? limit, ILogger<DirectListener> logger) : IConnectionListener
{
    // The fan-out says goodbye to its streams when the host stops, and cuts those that do not listen after 5 s: see EventFanout.DrainAsync.
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(10);

    private bool _refusing;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await socket.AcceptAsync(cancellationToken);
                if (!open.TryAdd(limit))
                {
                    Refuse(accepted);
                    continue;
                }
                _refusing = false;
                return Start(accepted);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.OperationAborted)
            {
                return null;
            }
            catch (SocketException exception)
            {
                // The peer was gone before it was accepted.
                LogNotAccepted(exception);
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        return default;
    }

    /// <summary>The server waits here for the streams that it does not know any more.</summary>
    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        try
        {
            await open.NoneTakenAsync().WaitAsync(LongestFarewell, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            LogNotEnded(LongestFarewell.TotalSeconds);
        }
        pool.Dispose();
    }

    private DirectConnection Start(Socket accepted)
    {
        try
        {
            return DirectConnection.Start(accepted, pool, options, open);
        }
        catch
        {
            open.Remove(taken: false);
            accepted.Dispose();
            throw;
        }
    }

    private void Refuse(Socket accepted)
    {
        if (!_refusing)
            LogRefusing(limit);
        _refusing = true;
        DirectConnection.Close(accepted, abortive: false);
    }

    [LoggerMessage(3100, LogLevel.Debug, "A connection was gone before it was accepted.")]
    private partial void LogNotAccepted(Exception exception);

    [LoggerMessage(3101, LogLevel.Warning, "There are {Limit} connections, as many as may be; further ones are refused.")]
    private partial void LogRefusing(long? limit);

    [LoggerMessage(3102, LogLevel.Warning, "Some streams did not end within {Seconds} s.")]
    private partial void LogNotEnded(double seconds);
}
