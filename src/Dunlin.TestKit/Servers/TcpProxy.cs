using System.Net;
using System.Net.Sockets;

namespace Dunlin.TestKit.Servers;

/// <summary>Defines how a proxy handles data of a client.</summary>
public enum ProxyAction
{
    /// <summary>Forwards the data.</summary>
    Pass,

    /// <summary>Cuts the connection instead of forwarding: the server never receives the data.</summary>
    CutBefore,

    /// <summary>Forwards the data, and cuts the connection to the client when the response arrives: the server has processed the request,
    /// but the client receives no response.</summary>
    CutAtAnswer,
}

/// <summary>Forwards TCP connections to a server on 127.0.0.1, and can cut, delay and hold them. Thread-safe.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Task _accepting;
    private volatile int _target;
    private volatile bool _isBlocked;
    private volatile TaskCompletionSource? _held;
    private long _delay; // ticks

    /// <summary>Starts to forward to a port.</summary>
    /// <param name="targetPort">The port of the server on 127.0.0.1.</param>
    public TcpProxy(int targetPort)
    {
        _target = targetPort;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Gets the port to which clients connect.</summary>
    public int Port { get; }

    /// <summary>Gets or sets the function that decides on each chunk of client data. Default: null, which forwards everything.</summary>
    public Func<ReadOnlyMemory<byte>, ProxyAction>? OnRequest { get; set; }

    /// <summary>Gets or sets the port of the server. A new value applies to new connections.</summary>
    public int TargetPort
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Gets or sets the time that each chunk of data takes, in each direction. Default: zero.</summary>
    public TimeSpan Delay
    {
        get => new(Interlocked.Read(ref _delay));
        set => Interlocked.Exchange(ref _delay, value.Ticks);
    }

    /// <summary>Holds all data, and new connections, without closing anything, as a network without a route does. Until
    /// <see cref="Restore"/>.</summary>
    public void Hold() => _held ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cuts all open connections.</summary>
    public void Cut()
    {
        List<Socket> sockets;
        lock (_open)
            sockets = [.. _open];
        foreach (var socket in sockets)
            Close(socket);
    }

    /// <summary>Cuts all connections and refuses new ones until <see cref="Restore"/>.</summary>
    public void Block()
    {
        _isBlocked = true;
        Cut();
    }

    /// <summary>Accepts connections again, and forwards held data.</summary>
    public void Restore()
    {
        _isBlocked = false;
        var held = _held;
        _held = null;
        held?.TrySetResult();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Restore();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            if (_isBlocked)
                Close(client);
            else
                _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        lock (_open)
        {
            _open.Add(client);
            _open.Add(server);
        }
        try
        {
            await PassAsync();
            await server.ConnectAsync(IPAddress.Loopback, _target);
            var cutsAtAnswer = new StrongBox();
            await Task.WhenAny(ForwardAsync(client, server, cutsAtAnswer), ReturnAsync(server, client, cutsAtAnswer));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection is closed below.
        }
        Close(client);
        Close(server);
    }

    private async Task ForwardAsync(Socket client, Socket server, StrongBox cutsAtAnswer)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await client.ReceiveAsync(buffer) is > 0 and var count)
            {
                await PassAsync();
                switch (OnRequest?.Invoke(buffer.AsMemory(0, count)) ?? ProxyAction.Pass)
                {
                    case ProxyAction.CutBefore:
                        return;
                    case ProxyAction.CutAtAnswer:
                        cutsAtAnswer.IsSet = true;
                        break;
                    default:
                        break;
                }
                for (var sent = 0; sent < count; )
                    sent += await server.SendAsync(buffer.AsMemory(sent, count - sent));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection was cut.
        }
    }

    private async Task ReturnAsync(Socket server, Socket client, StrongBox cutsAtAnswer)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await server.ReceiveAsync(buffer) is > 0 and var count && !cutsAtAnswer.IsSet)
            {
                await PassAsync();
                for (var sent = 0; sent < count; )
                    sent += await client.SendAsync(buffer.AsMemory(sent, count - sent));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection was cut.
        }
    }

    private async Task PassAsync()
    {
        if (Delay is { Ticks: > 0 } delay)
            await Task.Delay(delay, TimeProvider.System, _stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        if (_held is { } held)
            await held.Task;
    }

    private void Close(Socket socket)
    {
        lock (_open)
            _open.Remove(socket);
        try
        {
            // Sends a reset instead of a normal close, like a broken connection.
            socket.LingerState = new LingerOption(enable: true, 0);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The other side has closed the connection already.
        }
        socket.Dispose();
    }

    private sealed class StrongBox
    {
        public volatile bool IsSet;
    }
}
