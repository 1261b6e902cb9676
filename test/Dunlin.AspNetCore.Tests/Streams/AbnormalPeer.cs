using System.Net.Sockets;
using System.Text;
using Dunlin.Journal;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>A peer that opens a stream in a random way and ends it in another.</summary>
internal sealed class AbnormalPeer(Uri server, Position oldest, Random random)
{
    private readonly byte[] _buffer = new byte[4_096];

    /// <summary>Opens and ends one stream. Ignores the server's reaction.</summary>
    public async Task RunAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveBufferSize = 8 * 1024,
            NoDelay = true,
        };
        await socket.ConnectAsync(server.Host, server.Port);
        try
        {
            foreach (var part in Request())
                await socket.SendAsync(part);
            await EndAsync(socket);
        }
        catch (SocketException)
        {
            // The server closed first.
        }
    }

    private async Task EndAsync(Socket socket)
    {
        switch (random.Next(7))
        {
            case 0:
                Reset(socket);
                break;
            case 1:
                socket.Shutdown(SocketShutdown.Send);
                await ReadAsync(socket, int.MaxValue);
                break;
            case 2:
                socket.Shutdown(SocketShutdown.Both);
                break;
            case 3:
                await FirstBytesAsync(socket);
                Reset(socket);
                break;
            case 4:
                await FirstBytesAsync(socket);
                socket.Shutdown(SocketShutdown.Send);
                await ReadAsync(socket, int.MaxValue);
                break;
            case 5:
                // More than the server reads.
                for (var sent = 0; sent < 256 * 1024; sent += _buffer.Length)
                    await socket.SendAsync(_buffer);
                break;
            default:
                // Close with unread bytes, so that the kernel sends a reset.
                break;
        }
    }

    /// <summary>Returns the request in the parts to send.</summary>
    private IEnumerable<byte[]> Request()
    {
        var request = random.Next(17) switch
        {
            0 => Get(""),
            1 => Get("Content-Length: 0\r\n"),
            2 => Get("Content-Length: 5\r\n", "hello"),
            3 => Get("Content-Length: 2000000\r\n", new string('x', random.Next(300_000))),
            4 => Get("Content-Length: 2000000\r\n", new string('x', 2_000_000)),
            5 => Get("Content-Length: 5\r\nExpect: 100-continue\r\n"),
            6 => Get("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            7 => Get("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"),
            8 => Get("Transfer-Encoding: chunked\r\n", "0\r\nX-Trailer: 1\r\n\r\n"),
            9 => Get("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFF\r\n"),
            10 => Get("Connection: Upgrade\r\nUpgrade: websocket\r\n", "anything"),
            11 => Get("").Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal),
            12 => string.Concat(Enumerable.Repeat(Get(""), random.Next(2, 50))),
            13 => Get($"Last-Event-ID: {oldest}\r\n"),
            14 => Post("/form", "topic=t&topic=u") + (random.Next(2) == 0 ? Get("") : ""),
            15 => Get("", path: "/opening"),
            _ => Get("", path: "/failing"),
        };
        var bytes = Encoding.ASCII.GetBytes(request);
        if (random.Next(8) == 0)
            bytes = bytes[..random.Next(bytes.Length)]; // the rest is never sent
        if (random.Next(3) > 0 || bytes.Length < 2)
            return [bytes];
        var cut = random.Next(1, Math.Min(bytes.Length, 400));
        return [bytes[..cut], bytes[cut..]];
    }

    private static string Get(string headers, string body = "", string path = "/dunlin/v1/events?topic=t") =>
        $"GET {path} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\n{headers}\r\n{body}";

    private static string Post(string path, string form) =>
        $"POST {path} HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {form.Length}\r\n\r\n{form}";

    private async Task FirstBytesAsync(Socket socket)
    {
        // A deadline, because some requests never get an answer: incomplete ones, and those whose stream stays in its opening.
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, 50)));
        try
        {
            await socket.ReceiveAsync(_buffer, timeout.Token);
        }
        catch (OperationCanceledException)
        {
            // Ends while the server is still waiting.
        }
    }

    private async Task ReadAsync(Socket socket, int atMost)
    {
        for (var read = 0; read < atMost; )
        {
            var received = await socket.ReceiveAsync(_buffer);
            if (received == 0)
                return;
            read += received;
        }
    }

    private static void Reset(Socket socket) => socket.Close(timeout: 0);
}
