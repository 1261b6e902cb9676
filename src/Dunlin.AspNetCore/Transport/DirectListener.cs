using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Dunlin.Transport;

/// <summary>Accepts connections at one address. Not thread-safe: Kestrel accepts one connection at a time.</summary>
/// <param name="socket">The listening socket.</param>
/// <param name="port">What the connections of this listener share.</param>
/// <param name="limit">The maximum number of open sockets. Null for no limit.</param>
/// <param name="time">The clock of the pauses while accepting fails.</param>
/// <param name="logger">The logger.</param>
/// <param name="accept">Accepts one connection. Null for <see cref="Socket.AcceptAsync(CancellationToken)"/>.</param>
internal sealed partial class DirectListener(
    Socket socket,
    DirectPort port,
    long? limit,
    TimeProvider time,
    ILogger<DirectListener> logger,
    Func<CancellationToken, ValueTask<Socket>>? accept = null
) : IConnectionListener
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    // When the host stops, the fan-out sends a goodbye to its streams, and after 5 s aborts those that do not read it: see
    // EventFanout.DrainAsync.
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _unbound = new();
    private bool _refusing;
    private Task<Socket>? _accepting; // an accept that continues while returned connections are served
    private Task<bool>? _returning;
    private TimeSpan _pause; // before the next attempt; zero after one that succeeded

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                if (await ReturnedAsync(cancellationToken) is { } returned)
                    return returned;
                var accepted = await TakeAccepted();
                _pause = TimeSpan.Zero;
                if (!port.Open.TryAdd(limit))
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
                // The process is out of file descriptors or memory, or similar. The connection stays in the backlog, so the next attempt
                // would fail at once: wait.
                if (!await PauseAsync(exception, cancellationToken))
                    return null;
            }
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        await _unbound.CancelAsync();
        port.Stop();
    }

    /// <summary>Waits for the streams that have left Kestrel.</summary>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        try
        {
            await port.Open.NoneTakenAsync().WaitAsync(LongestFarewell, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            LogNotEnded(LongestFarewell.TotalSeconds);
        }
        port.Pool.Dispose();
    }

    // accept(2): accept returns errors that were already pending on the new connection.
    private static bool IsOfPeer(SocketError error) =>
        error
            is SocketError.ConnectionAborted
                or SocketError.ConnectionReset
                or SocketError.HostDown
                or SocketError.HostUnreachable
                or SocketError.NetworkDown
                or SocketError.NetworkUnreachable;

    /// <summary>Waits until a connection is accepted or returned.</summary>
    /// <returns>The returned connection. Null if accepting has ended, with a socket or an error.</returns>
    private async ValueTask<DirectConnection?> ReturnedAsync(CancellationToken cancellationToken)
    {
        if (port.Returned.TryRead(out var returned))
            return returned;
        _accepting ??= (accept?.Invoke(cancellationToken) ?? socket.AcceptAsync(cancellationToken)).AsTask();
        while (!_accepting.IsCompleted)
        {
            _returning ??= port.Returned.WaitToReadAsync(CancellationToken.None).AsTask();
            if (_returning.IsCompleted && !await _returning)
                return null; // unbound: the accept ends with its socket
            await Task.WhenAny(_accepting, _returning);
            if (!_returning.IsCompletedSuccessfully)
                continue;
            if (port.Returned.TryRead(out returned))
            {
                _returning = null;
                return returned;
            }
            if (await _returning)
                _returning = null;
        }
        return null;
    }

    private Task<Socket> TakeAccepted()
    {
        var accepting = _accepting!;
        _accepting = null;
        return accepting;
    }

    /// <returns>False if the listener is unbound.</returns>
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
            return DirectConnection.Start(accepted, port);
        }
        catch
        {
            port.Open.Remove(taken: false);
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
