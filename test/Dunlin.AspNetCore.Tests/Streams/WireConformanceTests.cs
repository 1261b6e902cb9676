using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>One list of scenarios of <c>GET events</c>, with the same outcomes over each transport. docs/spec/event-stream.md lists what
/// differs.</summary>
public sealed class WireConformanceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static TheoryData<Wire> Wires => [Wire.Sse, Wire.LongPoll, Wire.WebSocket];

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task New_stream_starts_with_hello_at_the_head(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        var head = await host.PublishAsync("t", "old");
        await using var reader = await WireReader.OpenAsync(host, wire);
        var hello = await reader.NextAsync();
        Assert.Equal(("dunlin.hello", head), (hello.Event, hello.Id));
        Assert.Equal("ann", JsonElement.Parse(hello.Data).GetProperty("user").GetProperty("id").GetString());
        var first = await host.PublishAsync("t", "first");
        var second = await host.PublishAsync("t", "second");
        Assert.Equal([new WireFrame("e", first, "\"first\""), new WireFrame("e", second, "\"second\"")], await reader.NextAsync(2));
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Resumed_stream_gets_each_missed_event_once(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        var from = await host.PublishAsync("t", "seen");
        // More than one page of a poll, and more than a stream may have pending.
        var padding = new string('x', 1_000);
        for (var i = 0; i < 600; i++)
            await host.Journal.AppendAsync(EventDraft.Of(TopicName.Parse(i % 2 == 0 ? "t" : "other"), "e", $"{i} {padding}"));
        await using var reader = await WireReader.OpenAsync(host, wire, from: from);
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).Event);
        var missed = await reader.NextAsync(300);
        Assert.Equal(
            Enumerable.Range(0, 300).Select(static i => $"{2 * i}"),
            missed.Select(static frame => JsonSerializer.Deserialize<string>(frame.Data)!.Split(' ')[0])
        );
        var live = await host.PublishAsync("t", "live");
        Assert.Equal(new WireFrame("e", live, "\"live\""), await reader.NextAsync());
    }

    public static TheoryData<Wire, string, string> LostPositions =>
        OverEach([("ffffffff-7", "epoch"), ("no-position", "unknown"), ("ahead", "ahead")]);

    [Theory]
    [MemberData(nameof(LostPositions))]
    public async Task Lost_position_gets_a_reset_and_then_events(Wire wire, string position, string reason)
    {
        await using var host = await EngineHost.StartAsync();
        var head = await host.PublishAsync("t", "old");
        var from = position == "ahead" ? $"{head.Split('-')[0]}-999" : position;
        await using var reader = await WireReader.OpenAsync(host, wire, from: from);
        var frames = await reader.NextAsync(2);
        var reset = Assert.Single(frames, static frame => frame.Event == "dunlin.reset");
        Assert.Single(frames, static frame => frame.Event == "dunlin.hello");
        Assert.Equal(head, reset.Id);
        Assert.Equal(reason, JsonElement.Parse(reset.Data).GetProperty("reason").GetString());
        var next = await host.PublishAsync("t", "next");
        Assert.Equal(new WireFrame("e", next, "\"next\""), await reader.NextAsync());
    }

    // A poll names its topics again, so the next one is refused while it names the lost topic.
    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Lost_right_is_announced_and_hides_later_events(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await WireReader.OpenAsync(host, wire, "topic=t&topic=secret");
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).Event);
        await host.LiveAsync();
        host.Refused.Add("secret");
        await host.Fanout.ReauthorizeAsync("ann", static (_, topic) => new(topic.Value != "secret"));
        var revoked = await reader.NextAsync();
        Assert.Equal(("dunlin.revoked", "secret"), (revoked.Event, JsonElement.Parse(revoked.Data).GetProperty("topics")[0].GetString()));
        await host.Journal.AppendAsync(EventDraft.Of(TopicName.Parse("secret"), "e", "hidden"));
        var shown = await host.PublishAsync("t", "shown");
        if (wire != Wire.LongPoll)
        {
            Assert.Equal(new WireFrame("e", shown, "\"shown\""), await reader.NextAsync());
            return;
        }
        Assert.Empty(await reader.ToEndAsync());
        Assert.Equal((403, "forbidden"), (reader.Refusal!.Status, reader.Refusal.Code));
        await using var rest = await WireReader.OpenAsync(host, wire, from: reader.Position);
        Assert.Equal("dunlin.hello", (await rest.NextAsync()).Event);
        Assert.Equal(new WireFrame("e", shown, "\"shown\""), await rest.NextAsync());
    }

    public static TheoryData<Wire, string, string> Ends =>
        OverEach([
            (nameof(ConnectionEnd.TokenExpired), "tokenExpired"),
            (nameof(ConnectionEnd.SignedOut), "signedOut"),
            (nameof(ConnectionEnd.Revoked), "revoked"),
            (nameof(ConnectionEnd.Draining), "draining"),
            (nameof(ConnectionEnd.Failed), "failed"),
        ]);

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task End_says_goodbye_with_its_reason(Wire wire, string end, string reason)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await WireReader.OpenAsync(host, wire);
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).Event);
        await host.LiveAsync();
        host.Fanout.All().Single().Close(Enum.Parse<ConnectionEnd>(end));
        var goodbye = Assert.Single(await reader.ToEndAsync());
        Assert.Equal("dunlin.goodbye", goodbye.Event);
        Assert.Equal(reason, JsonElement.Parse(goodbye.Data).GetProperty("reason").GetString());
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Conflated_stream_skips_superseded_events_while_behind(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        var from = await host.PublishAsync("ships/1", 0);
        for (var i = 1; i <= 5; i++)
        {
            await host.PublishAsync("ships/1", i);
            await host.PublishAsync("ships/2", 10 * i);
        }
        await using var reader = await WireReader.OpenAsync(host, wire, "topic=ships/**&conflate=true", from);
        Assert.Equal(["dunlin.hello", "e", "e"], (await reader.NextAsync(3)).Select(static frame => frame.Event));
        foreach (var value in new[] { 6, 7 })
        {
            await host.LiveAsync();
            await host.PublishAsync("ships/1", value);
            Assert.Equal($"{value}", (await reader.NextAsync()).Data);
        }
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Transient_event_arrives_without_an_id_while_connected(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await WireReader.OpenAsync(host, wire, "topic=t/**");
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).Event);
        await host.LiveAsync();
        host.Fanout.PublishTransient(EventDraft.Of(TopicName.Parse("t/typing"), "typing", 1));
        Assert.Equal(new WireFrame("typing", null, "1"), await reader.NextAsync());
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Own_events_are_left_out_with_echo_false(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await WireReader.OpenAsync(host, wire, "topic=t&echo=false");
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).Event);
        await host.LiveAsync();
        var own = new EventOrigin("ann", null, host.Fanout.All().Single().Id, null);
        await host.Journal.AppendAsync(EventDraft.Of(TopicName.Parse("t"), "e", "own", own));
        var other = await host.PublishAsync("t", "other");
        Assert.Equal(new WireFrame("e", other, "\"other\""), await reader.NextAsync());
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Idle_stream_sends_a_comment(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await WireReader.OpenAsync(host, wire);
        Assert.Equal("dunlin.hello", (await reader.NextAsync()).Event);
        await host.LiveAsync();
        var before = reader.Comments;
        await EngineHost.UntilAsync(() =>
        {
            host.Time.Advance(TimeSpan.FromSeconds(20));
            return reader.Comments > before;
        });
        var position = await host.PublishAsync("t", "after");
        Assert.Equal(new WireFrame("e", position, "\"after\""), await reader.NextAsync());
    }

    public static TheoryData<Wire, string, string> Refusals =>
        OverEach([
            ("topic=secret", "403 forbidden secret"),
            ("topic=t&topic=secret/**", "403 forbidden secret/**"),
            ("", "400 invalid_field topic"),
            ("topic=a%20b", "400 invalid_topic topic"),
            ("topic=t&echo=maybe", "400 invalid_field echo"),
            ("topic=1&topic=2&topic=3", "400 too_many_topics topic"),
        ]);

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_is_an_ordinary_response(Wire wire, string query, string expected)
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxTopics = 2)
        );
        host.Refused.UnionWith(["secret", "secret/**"]);
        var refusal = await WireReader.RefuseAsync(host, wire, query);
        var about = refusal.Status == 403 ? "topic" : "field";
        Assert.Equal(expected, $"{refusal.Status} {refusal.Code} {refusal.Problem.GetProperty(about).GetString()}");
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Missing_caller_is_refused_with_401(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        var refusal = await WireReader.RefuseAsync(host, wire, "topic=t", user: null);
        Assert.Equal((401, "not_signed_in"), (refusal.Status, refusal.Code));
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Limit_of_streams_is_refused_with_429(Wire wire)
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(static options => options.MaxPerUser = 1)
        );
        await using var first = await WireReader.OpenAsync(host, Wire.Sse);
        await first.NextAsync();
        var refusal = await WireReader.RefuseAsync(host, wire, "topic=t");
        Assert.Equal((429, "too_many_connections"), (refusal.Status, refusal.Code));
        Assert.Equal(1, refusal.Problem.GetProperty("limit").GetInt32());
        Assert.NotNull(refusal.RetryAfter);
    }

    // Only server-sent events have combined responses: 'wait' and an upgrade do not change the transport of such a response.
    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Combined_response_is_an_event_stream(Wire wire)
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        var path = "/dunlin/v1/events?topic=t" + (wire == Wire.LongPoll ? "&wait=1" : "");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/streams")
        {
            Content = JsonContent.Create(new { streams = new[] { new { id = "a", path } } }),
        };
        if (wire == Wire.WebSocket)
        {
            request.Headers.Connection.Add("Upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        }
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((200, "text/event-stream"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        await host.LiveAsync();
        host.Time.Advance(TimeSpan.FromSeconds(3));
        await host.PublishAsync("t", "news");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        string? line;
        do line = await reader.ReadLineAsync().WaitAsync(Patience);
        while (line is not null and not "data: \"news\"");
        Assert.NotNull(line);
    }

    private static TheoryData<Wire, string, string> OverEach((string, string)[] cases)
    {
        var data = new TheoryData<Wire, string, string>();
        foreach (var wire in Enum.GetValues<Wire>())
        {
            foreach (var (one, two) in cases)
                data.Add(wire, one, two);
        }
        return data;
    }
}
