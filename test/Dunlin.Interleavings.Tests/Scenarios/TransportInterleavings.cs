using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Dunlin.Interleavings.Tests.Exploring;
using Dunlin.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>The owner of a socket: the web server, or the stream that takes it over. The sockets are real.</summary>
public sealed class TransportInterleavings : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public TransportInterleavings()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        _listener.Listen();
    }

    [Fact]
    public void A_take_over_beside_a_read_loses_no_byte() =>
        Explorer.Explore(scenario =>
        {
            var line = Open();
            line.Peer.Send("GET"u8);
            var (owner, isTaken, received) = (new Reader(), false, Array.Empty<byte>());
            scenario.Thread("request", () => isTaken = line.Connection.TryTakeOver(owner, out _, out received));
            scenario.Thread("receiver", async () => await line.Receiver.ReadAsync());
            scenario.Then(() =>
            {
                Assert.True(isTaken);
                Assert.Equal((1, 1), line.Connection.Open.Counts);
                Assert.Equal("GET", Encoding.ASCII.GetString(received) + line.Rest());
                line.Dispose();
            });
        });

    [Fact]
    public void A_socket_is_taken_over_or_closed_and_never_both() =>
        Explorer.Explore(scenario =>
        {
            var line = Open();
            var (owner, isTaken) = (new Reader(), false);
            scenario.Thread("request", () => isTaken = line.Connection.TryTakeOver(owner, out _, out _));
            scenario.Thread("abort", () => line.Connection.Close(abortive: true));
            scenario.Thread("second abort", () => line.Connection.Close(abortive: false));
            scenario.Then(() =>
            {
                Assert.Equal(isTaken ? (1, 1) : (0, 0), line.Connection.Open.Counts);
                Assert.NotEqual(isTaken, line.Socket.SafeHandle.IsClosed);
                line.Dispose();
            });
        });

    [Fact]
    public void Each_end_of_the_input_reaches_the_current_reader_once() =>
        Explorer.Explore(scenario =>
        {
            var line = Open();
            var (first, second) = (new Reader { IsDone = true }, new Reader { IsDone = true });
            var receiver = new SocketReceiver(line.Socket, first);
            var isHandedOver = false;
            scenario.Thread(
                "receiver",
                async () =>
                {
                    while (await receiver.ReadAsync()) { }
                }
            );
            scenario.Thread("owner", () => isHandedOver = receiver.TryHandOver(first, second));
            scenario.Then(() =>
            {
                Assert.Equal(isHandedOver ? (0, 1) : (1, 0), (first.Ends, second.Ends));
                line.Dispose();
            });
        });

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(_path);
    }

    private Line Open()
    {
        var peer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(_path));
        var socket = _listener.Accept();
        socket.Blocking = false;
        var open = new OpenSockets();
        open.TryAdd(null);
        var port = new DirectPort(MemoryPool<byte>.Shared, new SocketTransportOptions(), open);
        var first = new Reader();
        // The scenario plays the loop of the receiver.
        var receiver = new SocketReceiver(socket, first);
        return new Line(peer, socket, receiver, DirectConnection.Restart(socket, port, receiver, first, [], isStopped: false)!);
    }

    private sealed record Line(Socket Peer, Socket Socket, SocketReceiver Receiver, DirectConnection Connection) : IDisposable
    {
        public string Rest()
        {
            var bytes = new byte[16];
            return Encoding.ASCII.GetString(bytes, 0, Math.Max(0, Socket.Receive(bytes, SocketFlags.None, out _)));
        }

        public void Dispose()
        {
            Peer.Dispose();
            Socket.Dispose();
        }
    }

    private sealed class Reader : ISocketReader
    {
        public bool IsDone { get; init; }

        public int Ends { get; private set; }

        public ValueTask<bool> ReadAsync(Socket socket)
        {
            ControlPoints.Atomic("read of the socket", "");
            return new(!IsDone);
        }

        public void OnEnd(Exception? error) => Ends++;
    }
}
