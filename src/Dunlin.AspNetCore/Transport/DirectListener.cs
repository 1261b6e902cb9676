using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Dunlin.Transport;

/// <summary>Accepts connections at one address.</summary>
/// <param name="socket">Listens.</param>
/// <param name="pool">Memory of what comes in.</param>
/// <param name="options">Of the transport.</param>
/// <param name="open">Counts the sockets.</param>
/// <param name="limit">How many may be open; null for any number.</param>
/// <param name="time">Measures the pauses when the process is out of files.</param>
/// <param name="logger">The log.</param>
/// <param name="accept">Accepts one connection; null for the socket's own way.</param>
internal sealed partial class DirectListener(
    Socket socket,
    MemoryPool<byte> pool,
    SocketTransportOptions options,
    OpenSockets open,
    long? limit,
    TimeProvider time,
    ILogger<DirectListener> logger,
    Func<CancellationToken, ValueTask<Socket>>? accept = null
) : IConnectionListener
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    // The fan-out says goodbye to its streams when the host stops, and cuts those that do not listen after 5 s: see EventFanout.DrainAsync.
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _unbound = new();
    private bool _refusing;
    private TimeSpan _pause; // before the next attempt; zero after one that succeeded

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await (accept?.Invoke(cancellationToken) ?? socket.AcceptAsync(cancellationToken));
                _pause = TimeSpan.Zero;
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
            catch (SocketException exception) when (IsOfPeer(exception.SocketErrorCode))
            {
                LogNotAccepted(exception);
            }
            catch (SocketException exception)
            {
                // Out of files or memory, and what may be of the kind: the connection stays in the queue, so that the next attempt
                // would fail at once.
                if (!await PauseAsync(exception, cancellationToken))
                    return null;
            }
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        await _unbound.CancelAsync();
    }

    /// <summary>The server waits here for the streams that it does not know any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
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

    // accept(2): an error that was pending on the new connection is told of the call.
    private static bool IsOfPeer(SocketError error) =>
        error
            is SocketError.ConnectionAborted
                or SocketError.ConnectionReset
                or SocketError.HostDown
                or SocketError.HostUnreachable
                or SocketError.NetworkDown
                or SocketError.NetworkUnreachable;

    /// <returns>False where the listener has been unbound.</returns>
    private async Task<bool> PauseAsync(SocketException exception, CancellationToken cancellationToken)
    {
        if (_pause == TimeSpan.Zero)
            LogPausing(exception);
        _pause =
            _pause == TimeSpan.Zero ? FirstPause
            : _pause * 2 < LongestPause ? _pause * 2
            : LongestPause;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, cancellationToken);
        try
        {
            await Task.Delay(_pause, time, ends.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
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

    [LoggerMessage(3100, LogLevel.Debug, "A connection was closed before it was accepted.")]
    private partial void LogNotAccepted(Exception exception);

    [LoggerMessage(
        3101,
        LogLevel.Warning,
        "The limit of {Limit} connections is reached; new ones are refused. Raise MaxConcurrentConnections of Kestrel if the load is expected."
    )]
    private partial void LogRefusing(long? limit);

    [LoggerMessage(
        3103,
        LogLevel.Error,
        "Accepting connections failed; retrying. If the process is out of files, raise its limit (ulimit -n)."
    )]
    private partial void LogPausing(Exception exception);

    [LoggerMessage(3102, LogLevel.Warning, "Some streams did not end within {Seconds} s of the stop and are aborted.")]
    private partial void LogNotEnded(double seconds);
}
