using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Dunlin.TestKit;
using Dunlin.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>The listener when accepting a connection fails.</summary>
public sealed class DirectListenerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Queue<SocketError> _errors = new();
    private readonly ManualTime _time = new();
    private readonly TestLog _log = new();
    private readonly LoggerFactory _loggers;
    private readonly DirectListener _listener;
    private int _attempts;

    public DirectListenerTests()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen();
        _loggers = new LoggerFactory([_log]);
        _listener = new DirectListener(
            _socket,
            new DirectPort(MemoryPool<byte>.Shared, new SocketTransportOptions(), new OpenSockets()),
            limit: null,
            _time,
            new Logger<DirectListener>(_loggers),
            Accept
        );
    }

    public void Dispose()
    {
        _socket.Dispose();
        _loggers.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    [InlineData(SocketError.AccessDenied)]
    public async Task A_failing_accept_is_retried_and_logged_once(SocketError error)
    {
        const int failures = 8;
        foreach (var _ in Enumerable.Range(0, failures))
            _errors.Enqueue(error);
        using var client = new TcpClient();
        var accepting = _listener.AcceptAsync().AsTask();
        for (var (i, pause) = (1, 50); i <= failures; (i, pause) = (i + 1, Math.Min(pause * 2, 1_000)))
        {
            await _time.WhenTimersAsync(1).WaitAsync(Patience);
            _time.Advance(TimeSpan.FromMilliseconds(pause - 1));
            Assert.Equal((i, false), (_attempts, accepting.IsCompleted));
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
        await client.ConnectAsync((IPEndPoint)_socket.LocalEndPoint!);
        await using var connection = await accepting.WaitAsync(Patience);
        Assert.NotNull(connection);
        Assert.Single(_log.Lines, static line => line.Contains("Accepting connections failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flush_after_an_abort_completes_without_an_error()
    {
        using var client = new TcpClient();
        var accepting = _listener.AcceptAsync().AsTask();
        await client.ConnectAsync((IPEndPoint)_socket.LocalEndPoint!);
        await using var connection = await accepting.WaitAsync(Patience);
        var output = connection!.Transport.Output;
        output.Write("HTTP/1.1 400 Bad Request"u8);
        connection.Abort();
        Assert.True((await output.FlushAsync()).IsCompleted);
    }

    [Fact]
    public async Task A_peer_that_left_before_accept_delays_nobody()
    {
        _errors.Enqueue(SocketError.ConnectionAborted);
        _errors.Enqueue(SocketError.ConnectionReset);
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)_socket.LocalEndPoint!);
        await using var connection = await _listener.AcceptAsync().AsTask().WaitAsync(Patience);
        Assert.NotNull(connection);
        Assert.Equal((3, 0), (_attempts, _time.ActiveTimers));
    }

    [Fact]
    public async Task Unbinding_during_the_pause_ends_the_listener()
    {
        _errors.Enqueue(SocketError.TooManyOpenSockets);
        var accepting = _listener.AcceptAsync().AsTask();
        await _time.WhenTimersAsync(1).WaitAsync(Patience);
        await _listener.UnbindAsync();
        Assert.Null(await accepting.WaitAsync(Patience));
    }

    private ValueTask<Socket> Accept(CancellationToken cancellationToken)
    {
        _attempts++;
        return _errors.TryDequeue(out var error)
            ? ValueTask.FromException<Socket>(new SocketException((int)error))
            : _socket.AcceptAsync(cancellationToken);
    }
}
