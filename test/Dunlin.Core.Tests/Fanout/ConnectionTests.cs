using Dunlin.Fanout;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

public sealed class ConnectionTests
{
    [Fact]
    public async Task A_heartbeat_is_sent_only_on_an_idle_stream()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        await node.ConnectAsync(
            sink,
            "t",
            with: r =>
                r with
                {
                    Heartbeat = TimeSpan.FromSeconds(15),
                    HeartbeatFrame = now => FrameWriter.Encode(null, f => f.Data("beat")),
                }
        );
        await node.PublishAsync("t", 0);
        await sink.WhenCountAsync(1);
        for (var i = 1; i <= 4; i++)
        {
            node.Time.Advance(TimeSpan.FromSeconds(10));
            await node.PublishAsync("t", i);
            await sink.WhenCountAsync(i + 1);
        }
        Assert.DoesNotContain(sink.Frames, f => f.Data == "beat");
        node.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.InRange(sink.Frames.Count(f => f.Data == "beat"), 3, 4);
    }

    [Fact]
    public async Task G4_A_stream_ends_when_its_credential_expires()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var expiry = node.Time.GetUtcNow() + TimeSpan.FromMinutes(5);
        var connection = await node.ConnectAsync(sink, "t", with: r => r with { Caller = TestNode.User() with { ExpiresAt = expiry } });
        node.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.False(connection.Completion.IsCompleted);
        node.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(ConnectionEnd.TokenExpired, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("\"reason\":\"tokenExpired\"", Assert.Single(sink.Frames).Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G4_Sign_out_ends_the_streams_of_that_session_only()
    {
        using var node = new TestNode();
        TestSink gone = new(),
            stays = new();
        var ended = await node.ConnectAsync(gone, "t", with: r => r with { Caller = TestNode.User("ann", "s1") });
        await node.ConnectAsync(stays, "t", with: r => r with { Caller = TestNode.User("ann", "s2") });
        node.Fanout.CloseSession("ann", "s1");
        Assert.Equal(ConnectionEnd.SignedOut, await ended.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        await node.PublishAsync("t", 1);
        Assert.Equal("1", (await stays.WhenCountAsync(1))[0].Data);
        Assert.Equal("dunlin.goodbye", Assert.Single(gone.Frames).Name);
    }

    [Fact]
    public async Task A_session_ended_with_a_final_frame_gets_it_before_the_goodbye()
    {
        using var node = new TestNode();
        TestSink gone = new(),
            stays = new();
        var ended = await node.ConnectAsync(gone, "t", with: r => r with { Caller = TestNode.User("ann", "s1") });
        await node.ConnectAsync(stays, "t", with: r => r with { Caller = TestNode.User("ann", "s2") });
        await node.StallAsync(gone, "t", 1);
        await node.PublishAsync("t", 2);
        await stays.WhenCountAsync(2);

        node.Fanout.CloseSession("ann", "s1", FrameWriter.Encode(null, f => f.Data("why")));
        node.Fanout.CloseSession("ann", "s1");
        gone.LetGo();

        Assert.Equal(ConnectionEnd.SignedOut, await ended.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(["1", "why"], gone.Frames.Take(2).Select(f => f.Data));
        Assert.Equal("dunlin.goodbye", gone.Frames[2].Name);
        Assert.Equal(3, gone.Frames.Count);
        Assert.Equal(2, stays.Frames.Count);
    }

    [Fact]
    public async Task G4_Queued_events_of_an_ended_session_are_dropped()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "t", with: r => r with { Caller = TestNode.User("ann", "s1") });
        await node.StallAsync(sink, "t", "before");
        await node.PublishAsync("t", "secret");
        await node.Fanout.SettledAsync();
        node.Fanout.CloseSession("ann", "s1");
        sink.LetGo();
        await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(sink.Frames, f => f.Data == "\"secret\"");
    }

    [Fact]
    public async Task G4_Queued_events_of_a_revoked_connection_are_dropped()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "t");
        await node.StallAsync(sink, "t", "before");
        await node.PublishAsync("t", "queued");
        await node.Fanout.SettledAsync();
        await node.Fanout.ReauthorizeAsync("ann", static (_, _) => new(false));
        sink.LetGo();
        Assert.Equal(ConnectionEnd.Revoked, await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(["\"before\""], sink.Frames.Where(f => f.Name == "e").Select(f => f.Data));
    }

    [Fact]
    public async Task G4_A_revoked_permission_removes_the_topic_from_an_open_stream()
    {
        using var node = new TestNode();
        TestSink both = new(),
            one = new();
        await node.ConnectAsync(both, "a b");
        var narrow = await node.ConnectAsync(one, "b");
        await node.Fanout.ReauthorizeAsync("ann", (_, topic) => new(topic.Value == "a"));
        await node.PublishAsync("b", "secret");
        await node.PublishAsync("a", "open");
        var frames = await both.WhenAsync(f => f.Any(x => x.Data == "\"open\""));
        Assert.Equal(["dunlin.revoked", "e"], frames.Select(f => f.Name));
        Assert.Equal(ConnectionEnd.Revoked, await narrow.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.DoesNotContain(one.Frames, f => f.Data == "\"secret\"");
    }

    [Fact]
    public async Task Leaving_moves_only_the_last_connection_of_the_user()
    {
        using var node = new TestNode();
        var open = new List<EventStreamConnection>();
        for (var i = 0; i < 5; i++)
            open.Add(await node.ConnectAsync(new TestSink(), "t"));
        open[1].Close(ConnectionEnd.Gone);
        await open[1].Completion;
        Assert.Equal([open[0], open[4], open[2], open[3]], node.Fanout.OfUser("ann"));
        open[4].Close(ConnectionEnd.Gone);
        await open[4].Completion;
        Assert.Equal([open[0], open[3], open[2]], node.Fanout.OfUser("ann"));
        foreach (var connection in open)
            connection.Close(ConnectionEnd.Gone);
        await Task.WhenAll(open.Select(connection => connection.Completion));
        Assert.Empty(node.Fanout.OfUser("ann"));
    }

    [Fact]
    public async Task Removing_an_old_connection_does_not_remove_a_newer_equal_one()
    {
        using var node = new TestNode();
        TestSink old = new(),
            fresh = new();
        var first = await node.ConnectAsync(old, "t", with: r => r with { Caller = TestNode.User("ann", "s1", "d1") });
        var second = await node.ConnectAsync(fresh, "t", with: r => r with { Caller = TestNode.User("ann", "s1", "d1") });
        first.Close(ConnectionEnd.Gone);
        await first.Completion;
        Assert.Equal([second], node.Fanout.OfUser("ann"));
        await node.PublishAsync("t", 1);
        Assert.Equal("1", (await fresh.WhenCountAsync(1))[0].Data);
    }

    [Fact]
    public async Task A_connection_that_took_the_seat_of_another_leaves_alone()
    {
        using var node = new TestNode(o => o.Shards = 1);
        var sinks = new TestSink[] { new(), new(), new() };
        var connections = new List<EventStreamConnection>();
        foreach (var sink in sinks)
            connections.Add(await node.ConnectAsync(sink, "t"));
        // The last connection takes the seat of the first, and then leaves it.
        foreach (var leaving in new[] { connections[0], connections[2] })
        {
            leaving.Close(ConnectionEnd.Gone);
            await leaving.Completion;
            await node.Fanout.SettledAsync();
        }
        await node.PublishAsync("t", 1);
        await node.Fanout.SettledAsync();
        Assert.Equal([0, 1, 0], sinks.Select(sink => sink.Frames.Count));
    }

    [Fact]
    public async Task Draining_sends_goodbyes_with_different_delays_and_refuses_new_streams()
    {
        using var node = new TestNode();
        var sinks = Enumerable.Range(0, 20).Select(_ => new TestSink()).ToList();
        foreach (var sink in sinks)
            await node.ConnectAsync(sink, "t");
        await node.Fanout.DrainAsync(TimeSpan.Zero, default);
        var delays = sinks.Select(s => Assert.Single(s.Frames)).Select(f => f.Data).ToHashSet();
        Assert.True(delays.Count > 10, "The delays are spread, or all come back in the same instant.");
        Assert.All(delays, d => Assert.Contains("\"reason\":\"draining\"", d, StringComparison.Ordinal));
        var refused = Assert.Throws<Diagnostics.DunlinException>(() => node.Open(new TestSink(), "t"));
        Assert.Equal(Diagnostics.ErrorCode.Draining, refused.Code);
    }

    [Fact]
    public async Task A_connection_that_ends_before_it_is_live_keeps_its_position()
    {
        var sink = new TestSink();
        var blocked = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var node = new TestNode(o => o.TailEvents = 8, inner => new WatchedJournal(inner, () => blocked.TrySetResult(sink.Hold())));
        for (var i = 0; i < 20; i++)
            await node.PublishAsync("t", i);
        var connection = node.Open(sink, "t");
        var starting = node.Fanout.StartAsync(connection, default, node.Journal.Head with { Offset = 0 });
        await await blocked.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await node.PublishAsync("t", "not sent");
        await node.PublishAsync("other", "not wanted");
        await node.Fanout.SettledAsync();
        connection.Close(ConnectionEnd.Answered);
        sink.LetGo();
        await starting.WaitAsync(TimeSpan.FromSeconds(20));
        await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(20, connection.LastSentOffset);
        Assert.Equal(20, sink.Frames.Count);
    }

    [Fact]
    public async Task A_connection_of_64_topics_receives_and_leaves_each()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var topics = string.Join(' ', Enumerable.Range(0, 64).Select(i => $"t/{i}"));
        var connection = await node.ConnectAsync(sink, topics);
        for (var i = 0; i < 64; i++)
            await node.PublishAsync($"t/{i}", i);
        Assert.Equal(64, (await sink.WhenCountAsync(64)).Select(f => f.Data).Distinct().Count());
        connection.Close(ConnectionEnd.Gone);
        await connection.Completion;
        var other = new TestSink();
        await node.ConnectAsync(other, "t/63");
        await node.PublishAsync("t/63", "last");
        await other.WhenCountAsync(1);
        Assert.Equal(64, sink.Frames.Count);
        Assert.Equal(TopicName.Parse("t/0"), connection.Topics[0]);
    }
}
