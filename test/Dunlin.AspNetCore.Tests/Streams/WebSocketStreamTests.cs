using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using RawReader = Dunlin.AspNetCore.Tests.Streams.TakeOverTests.RawReader;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>A stream over a WebSocket with the subprotocol <c>dunlin.v1</c>: outside Kestrel, and over TLS inside it.</summary>
public sealed class WebSocketStreamTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_stream_sends_hello_events_and_ids_as_text_messages(string scheme)
    {
        var kestrel = new TakeOverTests.KestrelSide(scheme);
        await using var host = await EngineHost.StartAsync(listen: kestrel.Listen);
        await using var reader = await Reader.OpenAsync(host);
        Assert.Equal("dunlin.v1", reader.Socket.SubProtocol);
        await reader.UntilAsync("event: dunlin.hello\n");
        Assert.StartsWith($":connection {host.Fanout.All().Single().Id}\n\n", reader.Text, StringComparison.Ordinal);
        if (scheme == "http")
            await kestrel.Ended.Task.WaitAsync(Patience);
        var position = await AppendAsync(host, "news");
        await reader.UntilAsync($"id: {position}\nevent: e\ntopic: t\ndata: \"news\"\n\n");
        await reader.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, reader.Socket.CloseStatus);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_resumed_stream_continues_after_its_position(string scheme)
    {
        await using var host = await EngineHost.StartAsync(listen: new TakeOverTests.KestrelSide(scheme).Listen);
        var from = await AppendAsync(host, "seen");
        await AppendAsync(host, "missed");
        await using var reader = await Reader.OpenAsync(host, $"&lastEventId={from}");
        await reader.UntilAsync("missed");
        Assert.DoesNotContain("\"seen\"", reader.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_position_gets_a_reset()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await Reader.OpenAsync(host, "&lastEventId=ffffffff-7");
        await reader.UntilAsync("event: dunlin.reset\n");
    }

    [Theory]
    [InlineData(ConnectionEnd.Draining, 1001)]
    [InlineData(ConnectionEnd.TokenExpired, 3000)]
    [InlineData(ConnectionEnd.SignedOut, 3003)]
    [InlineData(ConnectionEnd.Revoked, 3003)]
    [InlineData(ConnectionEnd.Failed, 1011)]
    internal async Task An_end_sends_goodbye_and_its_close_code(ConnectionEnd end, int code)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await Reader.OpenAsync(host);
        await reader.UntilAsync("dunlin.hello");
        host.Fanout.All().Single().Close(end);
        await reader.ToCloseAsync();
        Assert.Contains("event: dunlin.goodbye\n", reader.Text, StringComparison.Ordinal);
        Assert.Equal(code, (int?)reader.Socket.CloseStatus);
    }

    [Fact]
    public async Task A_stopping_host_says_goodbye_with_code_1001()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await Reader.OpenAsync(host);
        await reader.UntilAsync("dunlin.hello");
        var stopping = host.StopAsync();
        await reader.ToCloseAsync();
        await reader.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        await stopping.WaitAsync(Patience);
        Assert.Contains("\"reason\":\"draining\"", reader.Text, StringComparison.Ordinal);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, reader.Socket.CloseStatus);
    }

    [Fact]
    public async Task A_revoked_topic_is_announced_and_the_others_continue()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await Reader.OpenAsync(host, "&topic=secret");
        await reader.UntilAsync("dunlin.hello");
        await host.Fanout.ReauthorizeAsync("ann", static (_, topic) => new(topic.Value != "secret"));
        await reader.UntilAsync("event: dunlin.revoked\n");
        Assert.Contains("secret", reader.Text[reader.Text.IndexOf("dunlin.revoked", StringComparison.Ordinal)..], StringComparison.Ordinal);
        await host.PublishAsync("secret", "hidden");
        await host.PublishAsync("t", "shown");
        await reader.UntilAsync("shown");
        Assert.DoesNotContain("hidden", reader.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Frames_at_the_length_boundaries_arrive_unchanged(int around)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await Reader.OpenAsync(host);
        await reader.UntilAsync("dunlin.hello");
        await host.Journal.AppendAsync([Draft("\"\"")], null, TestContext.Current.CancellationToken);
        await reader.UntilAsync("data: \"\"\n\n");
        // The lines around the data: id, event, topic and the name of the data line.
        var border = reader.LastMessage - 2;
        foreach (var boundary in new[] { 125, 126, 65_535, 65_536 })
        {
            var data = $"\"{new string('x', boundary - border - 2 + around)}\"";
            await host.Journal.AppendAsync([Draft(data)], null, TestContext.Current.CancellationToken);
            await reader.UntilAsync($"data: {data}\n\n");
        }
    }

    [Fact]
    public async Task A_stalled_reader_loses_nothing_and_delays_nobody()
    {
        await using var host = await EngineHost.StartAsync();
        using var slow = await RawReader.SendAsync(host, Request(), receiveBuffer: 8 * 1024);
        await slow.UntilAsync("dunlin.hello");
        await using var quick = await Reader.OpenAsync(host);
        await quick.UntilAsync("dunlin.hello");
        var filler = new string('x', 60_000);
        const int events = 150;
        for (var i = 0; i < events; i++)
        {
            await AppendAsync(host, $"{i}:{filler}");
            await quick.UntilAsync($"\"{i}:");
        }
        await slow.UntilAsync($"\"{events - 1}:");
        var places = Enumerable.Range(0, events).Select(i => slow.Text.IndexOf($"\"{i}:x", StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
    }

    [Fact]
    public async Task An_idle_stream_sends_a_comment_and_a_ping()
    {
        await using var host = await EngineHost.StartAsync();
        using var peer = await RawReader.SendAsync(host, Request());
        await peer.UntilAsync("dunlin.hello");
        var reading = peer.UntilAsync("\ufffd\0\ufffd\u0003:\n\n");
        // The stream may still be about to wait, so time moves on until the heartbeat arrives.
        using var late = new CancellationTokenSource(Patience, TimeProvider.System);
        while (!reading.IsCompleted)
        {
            host.Time.Advance(TimeSpan.FromSeconds(20));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, late.Token);
        }
        await reading;
    }

    [Fact]
    public async Task A_ping_is_answered_with_its_payload()
    {
        await using var host = await EngineHost.StartAsync();
        using var peer = await RawReader.SendAsync(host, Request());
        await peer.UntilAsync("dunlin.hello");
        await peer.SendAsync([0x89, 0x83, 0, 0, 0, 0, .. "abc"u8]);
        await peer.UntilAsync("\ufffd\u0003abc");
    }

    [Theory]
    [InlineData(WebSocketMessageType.Text, true)]
    [InlineData(WebSocketMessageType.Binary, true)]
    [InlineData(WebSocketMessageType.Text, false)]
    public async Task A_message_of_the_client_is_refused_with_code_1003(WebSocketMessageType type, bool isEnd)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await Reader.OpenAsync(host);
        await reader.UntilAsync("dunlin.hello");
        await reader.Socket.SendAsync(new byte[] { 1, 2, 3 }, type, isEnd, TestContext.Current.CancellationToken);
        await reader.ToCloseAsync();
        Assert.Equal(WebSocketCloseStatus.InvalidMessageType, reader.Socket.CloseStatus);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_disappears_ends_its_stream(bool reset)
    {
        await using var host = await EngineHost.StartAsync();
        var closed = new TaskCompletionSource<ConnectionEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Fanout.Closed.Subscribe(connection => closed.TrySetResult(connection.Completion.Result));
        using var peer = await RawReader.SendAsync(host, Request());
        await peer.UntilAsync("dunlin.hello");
        peer.Close(reset);
        Assert.Equal(ConnectionEnd.Gone, await closed.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_frame_without_mask_closes_with_code_1002()
    {
        await using var host = await EngineHost.StartAsync();
        using var peer = await RawReader.SendAsync(host, Request());
        await peer.UntilAsync("dunlin.hello");
        await peer.SendAsync([0x89, 0]);
        Assert.EndsWith("\u0002\u0003\ufffd", await peer.ToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version", "8", 426, "upgrade_required")]
    [InlineData("Sec-WebSocket-Version", null, 426, "upgrade_required")]
    [InlineData("Upgrade", null, 426, "upgrade_required")]
    [InlineData("Connection", "keep-alive", 426, "upgrade_required")]
    [InlineData("Sec-WebSocket-Key", null, 400, "invalid_field")]
    [InlineData("Sec-WebSocket-Key", "short", 400, "invalid_field")]
    [InlineData("Sec-WebSocket-Protocol", null, 400, "invalid_field")]
    [InlineData("Sec-WebSocket-Protocol", "chat", 400, "invalid_field")]
    [InlineData("Origin", "https://evil.example", 403, "origin_refused")]
    public async Task A_wrong_handshake_is_refused_with_a_problem(string header, string? value, int status, string code)
    {
        await using var host = await EngineHost.StartAsync();
        using var peer = await RawReader.SendAsync(host, Request(header, value));
        await peer.UntilAsync("traceId");
        Assert.StartsWith($"HTTP/1.1 {status} ", peer.Text, StringComparison.Ordinal);
        Assert.Contains($"\"code\":\"{code}\"", peer.Text, StringComparison.Ordinal);
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, "https://friend.example")]
    public async Task Own_and_allowed_origins_may_open_a_stream(bool own, string? origin)
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<OriginOptions>(static options => options.AllowedOrigins.Add("https://friend.example"))
        );
        using var peer = await RawReader.SendAsync(host, Request("Origin", own ? "http://x" : origin));
        await peer.UntilAsync("dunlin.hello");
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\n", peer.Text, StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", peer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("permessage-deflate", peer.Text, StringComparison.OrdinalIgnoreCase);
    }

    // Kestrel announces extended CONNECT on HTTP/2 connections. Streams do not offer it: docs/spec/event-stream.md.
    [Fact]
    public async Task Extended_CONNECT_over_HTTP_2_is_refused_with_405()
    {
        await using var host = await EngineHost.StartAsync(listen: new TakeOverTests.KestrelSide("https").Listen);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        using var invoker = new HttpMessageInvoker(handler);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = System.Net.HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("X-User", "ann");
        socket.Options.AddSubProtocol("dunlin.v1");
        var target = new UriBuilder(host.Address)
        {
            Scheme = "wss",
            Path = "/dunlin/v1/events",
            Query = "topic=t",
        }.Uri;
        await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(target, invoker, TestContext.Current.CancellationToken).WaitAsync(Patience)
        );
        Assert.Equal(405, (int)socket.HttpStatusCode);
    }

    [Fact]
    public async Task Refused_topics_and_limits_are_ordinary_responses()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxPerUser = 1)
        );
        host.Refused.Add("secret");
        await using var first = await Reader.OpenAsync(host);
        await first.UntilAsync("dunlin.hello");
        using var limited = await RawReader.SendAsync(host, Request());
        await limited.UntilAsync("too_many_connections");
        using var refused = await RawReader.SendAsync(host, Request(query: "&topic=secret"));
        await refused.UntilAsync("HTTP/1.1 403 ");
    }

    private static EventDraft Draft(string json) => new(TopicName.Parse("t"), "e", Encoding.UTF8.GetBytes(json));

    private static async Task<string> AppendAsync(EngineHost host, string data) =>
        (await host.Journal.AppendAsync([Draft(JsonSerializer.Serialize(data))], null, TestContext.Current.CancellationToken))[0]
            .ToString();

    private static string Request(string? header = null, string? value = null, string query = "")
    {
        var headers = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Host"] = "x",
            ["X-User"] = "ann",
            ["Upgrade"] = "websocket",
            ["Connection"] = "Upgrade",
            ["Sec-WebSocket-Version"] = "13",
            ["Sec-WebSocket-Key"] = Key,
            ["Sec-WebSocket-Protocol"] = "other, dunlin.v1",
            ["Sec-WebSocket-Extensions"] = "permessage-deflate",
        };
        if (header is not null)
            headers[header] = value;
        var lines = headers.Where(static pair => pair.Value is not null).Select(static pair => $"{pair.Key}: {pair.Value}\r\n");
        return $"GET /dunlin/v1/events?topic=t{query} HTTP/1.1\r\n{string.Concat(lines)}\r\n";
    }

    private sealed class Reader : IAsyncDisposable
    {
        private readonly byte[] _buffer = new byte[256 * 1024];
        private readonly StringBuilder _text = new();

        public ClientWebSocket Socket { get; } = new();

        public string Text => _text.ToString();

        /// <summary>Gets the bytes of the last message.</summary>
        public int LastMessage { get; private set; }

        public static async Task<Reader> OpenAsync(EngineHost host, string query = "")
        {
            var reader = new Reader();
            var options = reader.Socket.Options;
            options.SetRequestHeader("X-User", "ann");
            options.AddSubProtocol("dunlin.v1");
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
            var address = new UriBuilder(host.Address) { Scheme = host.Address.Scheme == "https" ? "wss" : "ws" };
            var target = new Uri(address.Uri, "/dunlin/v1/events?topic=t" + query);
            await reader.Socket.ConnectAsync(target, TestContext.Current.CancellationToken).WaitAsync(Patience);
            return reader;
        }

        public async Task UntilAsync(string text)
        {
            while (!Text.Contains(text, StringComparison.Ordinal))
            {
                if (!await ReadAsync())
                    throw new EndOfStreamException($"The stream ended before '{text[..Math.Min(80, text.Length)]}'.");
            }
        }

        public async Task ToCloseAsync()
        {
            while (await ReadAsync())
            {
                // Keep the text that arrived.
            }
        }

        public ValueTask DisposeAsync()
        {
            Socket.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<bool> ReadAsync()
        {
            var received = await Socket
                .ReceiveAsync(_buffer.AsMemory(), TestContext.Current.CancellationToken)
                .AsTask()
                .WaitAsync(Patience);
            if (received.MessageType == WebSocketMessageType.Close)
                return false;
            Assert.Equal(WebSocketMessageType.Text, received.MessageType);
            _text.Append(Encoding.UTF8.GetString(_buffer, 0, received.Count));
            LastMessage = received.Count;
            return true;
        }
    }
}
