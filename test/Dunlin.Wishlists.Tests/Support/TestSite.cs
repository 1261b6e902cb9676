using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dunlin.Wishlists.Tests.Support;

/// <summary>A web site on loopback that sends exactly the bytes of a test, including invalid ones.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<Task, bool> _serving = [];
    private readonly ConcurrentDictionary<string, Func<Stream, CancellationToken, Task>> _pages = new(StringComparer.Ordinal);
    private readonly Task _accepting;

    public TestSite(string address = "127.0.0.1", int port = 0)
    {
        _listener = new TcpListener(IPAddress.Parse(address), port);
        _listener.Start();
        _accepting = Task.Run(AcceptAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>The heads of all requests, and an empty text for a connection without one.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public int Connections;

    /// <summary>Released once per request, when its head has arrived.</summary>
    public SemaphoreSlim Connected { get; } = new(0);

    public void Page(string path, Func<Stream, CancellationToken, Task> answer) => _pages[path] = answer;

    public void Html(string path, string html, string type = "text/html; charset=utf-8") => Bytes(path, Encoding.UTF8.GetBytes(html), type);

    public void Bytes(string path, byte[] body, string? type, params string[] headers) =>
        Page(
            path,
            async (stream, ct) =>
            {
                var head = new StringBuilder("HTTP/1.1 200 OK\r\n");
                if (type is not null)
                    head.Append("Content-Type: ").Append(type).Append("\r\n");
                foreach (var header in headers)
                    head.Append(header).Append("\r\n");
                head.Append(System.Globalization.CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), ct);
                await stream.WriteAsync(body, ct);
            }
        );

    public void Status(string path, string status, params string[] headers) =>
        Page(
            path,
            async (stream, ct) =>
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"HTTP/1.1 {status}\r\n{string.Concat(headers.Select(h => h + "\r\n"))}Content-Length: 0\r\n\r\n"
                    ),
                    ct
                )
        );

    public void Redirect(string path, string to) => Status(path, "302 Found", "Location: " + to);

    /// <summary>A page that accepts the request and never answers.</summary>
    public void Silent(string path) =>
        Page(
            path,
            static async (stream, ct) =>
            {
                while (await stream.ReadAsync(new byte[16], ct) > 0) { }
            }
        );

    public static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(TestSite).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_serving.Keys);
        _ending.Dispose();
        Connected.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_ending.Token);
                Interlocked.Increment(ref Connections);
                var task = Task.Run(() => ServeAsync(client));
                _serving.TryAdd(task, true);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var head = await HeadAsync(stream);
                Requests.Enqueue(head);
                Connected.Release();
                var path = head.Split(' ') is { Length: > 1 } parts ? parts[1] : "";
                if (_pages.TryGetValue(path, out var answer))
                    await answer(stream, _ending.Token);
                else
                    await stream.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), _ending.Token);
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The test or the client has ended.
            }
        }
    }

    private async Task<string> HeadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _ending.Token) > 0)
        {
            head.Add(one[0]);
            if (head.Count >= 4 && head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n')
                break;
        }
        return Encoding.ASCII.GetString([.. head]);
    }
}
