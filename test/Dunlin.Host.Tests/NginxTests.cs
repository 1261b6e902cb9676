using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Host.Tests;

/// <summary>The behaviour of <c>deploy/nginx.conf</c>, with a real nginx in front of a real host.</summary>
public sealed class NginxTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Each_event_arrives_before_the_next_is_published_also_with_gzip()
    {
        await using var host = await StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        alice.DefaultRequestHeaders.TryAddWithoutValidation("Accept-Encoding", "gzip, br");
        await using var stream = await EventLine.OpenAsync(alice);
        Assert.Empty(stream.Response.Content.Headers.ContentEncoding);
        Assert.Equal("text/event-stream; charset=utf-8", stream.Response.Content.Headers.ContentType!.ToString());
        Assert.Contains("no-store", stream.Response.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        for (var i = 0; i < 50; i++)
        {
            // Published by another request, and no later data could push it out of a buffer.
            await RenameAsync(alice, $"Birthday {i}");
            Assert.Equal("demo-birthday", (await stream.UntilAsync("wishlists:updated")).Data.GetProperty("id").GetString());
        }
        // Other answers are compressed.
        using var list = await alice.GetAsync("/api/v1/wishlists/demo-birthday/items");
        Assert.Equal(["gzip"], list.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task An_idle_stream_stays_open()
    {
        await using var host = await StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        await using var stream = await EventLine.OpenAsync(alice);
        for (var i = 0; i < 3; i++)
            Assert.Equal("sync:ping", (await stream.NextAsync()).Type);
        await RenameAsync(alice, "After a while");
        await stream.UntilAsync("wishlists:updated");
    }

    [Fact]
    public async Task A_WebSocket_and_a_long_poll_pass_nginx()
    {
        await using var host = await StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("dunlin.v1");
        foreach (var (name, values) in alice.DefaultRequestHeaders)
            socket.Options.SetRequestHeader(name, string.Join(", ", values));
        var stream = new UriBuilder(nginx.Address) { Scheme = "ws", Path = "/api/v1/events/stream" };
        await socket.ConnectAsync(stream.Uri, CancellationToken.None).WaitAsync(Patience);
        var text = await ReadAsync(socket, "sync:ping");
        await RenameAsync(alice, "Over a socket");
        text += await ReadAsync(socket, "wishlists:updated");
        var position = text[text.LastIndexOf("id: ", StringComparison.Ordinal)..].Split('\n')[0]["id: ".Length..];
        var poll = alice.GetStringAsync($"/api/v1/events/stream?wait=25&lastEventId={position}");
        await RenameAsync(alice, "Over a poll");
        Assert.Contains("wishlists:updated", await poll.WaitAsync(Patience), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_stream_resumes_without_gap_or_duplicate()
    {
        await using var host = await StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        string position;
        await using (var first = await EventLine.OpenAsync(alice))
        {
            await RenameAsync(alice, "Before");
            position = (await first.UntilAsync("wishlists:updated")).Id!;
        }
        var missed = new List<string>();
        for (var i = 0; i < 5; i++)
            missed.Add(await AddAsync(alice, $"Missed {i}"));
        await using var second = await EventLine.OpenAsync(alice, position);
        foreach (var id in missed)
            Assert.Equal(("items:updated", id), await IdOfNextAsync(second));
        var live = await AddAsync(alice, "Live");
        Assert.Equal(("items:updated", live), await IdOfNextAsync(second));
    }

    [Fact]
    public async Task Any_node_answers_and_an_unavailable_one_is_skipped()
    {
        await using var host = await StartAsync();
        // The same node twice, and a port without a listener: no stickiness, no loss.
        await using var nginx = await DeployedNginx.StartAsync(ServerProcess.FreePort(), host.Port, host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        await using var one = await EventLine.OpenAsync(alice);
        await using var two = await EventLine.OpenAsync(alice);
        for (var i = 0; i < 10; i++)
        {
            var id = await AddAsync(alice, $"Thing {i}");
            Assert.Equal(("items:updated", id), await IdOfNextAsync(one));
            Assert.Equal(("items:updated", id), await IdOfNextAsync(two));
        }
    }

    [Fact]
    public async Task A_disconnected_reader_disappears_at_the_host()
    {
        await using var host = await StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        await using (await EventLine.OpenAsync(alice))
            Assert.Equal(1, await CountAsync(alice));
        using var patience = new CancellationTokenSource(Patience);
        while (await CountAsync(alice) > 0)
            patience.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task Streams_with_a_body_are_refused_without_using_connections()
    {
        // With 600 files the host accepts 300 connections.
        const int requests = 320;
        await using var host = await StartAsync(openFiles: 600);
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        var body = new byte[2_000_000];
        await Parallel.ForAsync(
            0,
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (_, ct) =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events/stream")
                {
                    Content = new ByteArrayContent(body),
                };
                using var answer = await alice.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct).WaitAsync(Patience, ct);
                Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            }
        );
        await using var stream = await EventLine.OpenAsync(alice);
        Assert.Equal(1, await CountAsync(alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Limits_count_clients_behind_a_trusted_proxy_and_ignore_forged_ones(bool isTrusted)
    {
        await using var host = new HostProcess();
        host.Settings["Dunlin__Streams__MaxPerAddress"] = "1";
        if (isTrusted)
            host.Settings["Dunlin__TrustedProxies"] = "127.0.0.1";
        await host.StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address, from: "127.0.0.2");
        using var bob = await host.SignInAsync("bob", nginx.Address, from: "127.0.0.3");
        await using var first = await EventLine.OpenAsync(alice);
        using (var another = await TryOpenAsync(bob))
            Assert.Equal(isTrusted ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests, another.StatusCode);
        bob.DefaultRequestHeaders.Add("X-Forwarded-For", "127.0.0.9");
        alice.DefaultRequestHeaders.Add("X-Forwarded-For", "127.0.0.9");
        using var claimed = await TryOpenAsync(alice);
        Assert.Equal(HttpStatusCode.TooManyRequests, claimed.StatusCode);
    }

    private static async Task<string> ReadAsync(ClientWebSocket socket, string until)
    {
        var (text, buffer) = ("", new byte[64 * 1024]);
        while (!text.Contains(until, StringComparison.Ordinal))
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience);
            Assert.Equal(WebSocketMessageType.Text, received.MessageType);
            text += Encoding.UTF8.GetString(buffer, 0, received.Count);
        }
        return text;
    }

    private static async Task<HostProcess> StartAsync(int? openFiles = null)
    {
        var host = new HostProcess { OpenFiles = openFiles };
        host.Settings["Dunlin__TrustedProxies"] = "127.0.0.1";
        host.Settings["Dunlin__RxDb__Ping"] = "00:00:01";
        await host.StartAsync();
        return host;
    }

    private static async Task RenameAsync(HttpClient client, string name)
    {
        using var answer = await client.PatchAsJsonAsync("/api/v1/wishlists/demo-birthday", new { name });
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<string> AddAsync(HttpClient client, string title)
    {
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/wishlists/demo-birthday/items",
            new { title, id = title.Replace(' ', '-') }
        );
        answer.EnsureSuccessStatusCode();
        return title.Replace(' ', '-');
    }

    private static async Task<int> CountAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/dunlin/v1/stats");
        using var answer = await client.SendAsync(request);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("connections").GetArrayLength();
    }

    private static async Task<(string Type, string? Id)> IdOfNextAsync(EventLine stream)
    {
        while (true)
        {
            var next = await stream.NextAsync();
            if (next.Type != "sync:ping")
                return (next.Type, next.Data.GetProperty("id").GetString());
        }
    }

    private static Task<HttpResponseMessage> TryOpenAsync(HttpClient client) =>
        client.GetAsync("/api/v1/events/stream", HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);

    /// <summary>One open stream of hints, after its first ping.</summary>
    private sealed class EventLine(HttpResponseMessage response, IAsyncEnumerator<SseItem<string>> events, CancellationTokenSource ending)
        : IAsyncDisposable
    {
        public HttpResponseMessage Response => response;

        public static async Task<EventLine> OpenAsync(HttpClient client, string? lastEventId = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events/stream");
            if (lastEventId is not null)
                request.Headers.Add("Last-Event-ID", lastEventId);
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
            response.EnsureSuccessStatusCode();
            var ending = new CancellationTokenSource();
            var line = new EventLine(
                response,
                SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync(ending.Token).GetAsyncEnumerator(),
                ending
            );
            Assert.Equal("sync:ping", (await line.NextAsync()).Type);
            return line;
        }

        public async Task<(string Type, string? Id, JsonElement Data)> NextAsync()
        {
            Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Patience), "the stream ended");
            return (events.Current.EventType, events.Current.EventId, JsonDocument.Parse(events.Current.Data).RootElement);
        }

        public async Task<(string Type, string? Id, JsonElement Data)> UntilAsync(string type)
        {
            while (true)
            {
                var next = await NextAsync();
                if (next.Type == type)
                    return next;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await ending.CancelAsync();
            await events.DisposeAsync();
            response.Dispose();
            ending.Dispose();
        }
    }
}
