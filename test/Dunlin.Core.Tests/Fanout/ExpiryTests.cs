using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>The end of a stream at the expiry of its credential.</summary>
public sealed class ExpiryTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    [Theory]
    [InlineData(300_345)]
    [InlineData(3_000)]
    [InlineData(20)]
    public async Task G4_A_stream_delivers_until_its_expiry_and_ends_at_it(int milliseconds)
    {
        using var node = new TestNode();
        node.Time.Advance(TimeSpan.FromMilliseconds(5_678));
        var sink = new TestSink();
        var lifetime = TimeSpan.FromMilliseconds(milliseconds);
        var connection = await node.ConnectAsync(sink, "t", with: Expires(node, lifetime));
        node.Time.Advance(lifetime - Millisecond);
        await node.PublishAsync("t", 1);
        Assert.Equal("1", (await sink.WhenCountAsync(1))[0].Data);
        Assert.False(connection.Completion.IsCompleted);
        node.Time.Advance(Millisecond);
        // The wheel has called the connection before Advance returned.
        Assert.True(connection.Completion.IsCompleted);
        await node.PublishAsync("t", 2);
        await node.Fanout.SettledAsync();
        Assert.Equal(ConnectionEnd.TokenExpired, await connection.Completion);
        Assert.Equal(["e", "dunlin.goodbye"], sink.Frames.Select(f => f.Name));
    }

    [Fact]
    public async Task G4_A_late_timer_delivers_no_event_after_the_expiry()
    {
        using var node = new TestNode();
        TestSink live = new(),
            transient = new(),
            frame = new();
        var connections = new List<EventStreamConnection>
        {
            await node.ConnectAsync(live, "t", with: Expires(node, TimeSpan.FromMinutes(1))),
            await node.ConnectAsync(transient, "u", with: Expires(node, TimeSpan.FromMinutes(1))),
            await node.ConnectAsync(frame, "v", with: Expires(node, TimeSpan.FromMinutes(1))),
        };
        // Fires no timer, as on a machine whose thread pool is busy.
        node.Time.StepWallClock(TimeSpan.FromMinutes(1));
        await node.PublishAsync("t", 1);
        node.Fanout.PublishTransient(TestNode.Draft("u", 1));
        connections[2].Send("data: 1\n\n"u8.ToArray());
        foreach (var connection in connections)
            Assert.Equal(ConnectionEnd.TokenExpired, await connection.Completion.WaitAsync(Patience));
        foreach (var sink in new[] { live, transient, frame })
            Assert.Equal("dunlin.goodbye", Assert.Single(sink.Frames).Name);
    }

    [Fact]
    public async Task G4_The_queue_of_a_slow_reader_is_dropped_at_the_expiry()
    {
        using var node = new TestNode();
        var sink = new TestSink();
        var connection = await node.ConnectAsync(sink, "t", with: Expires(node, TimeSpan.FromSeconds(2)));
        await node.StallAsync(sink, "t", 1);
        await node.PublishAsync("t", 2);
        await node.Fanout.SettledAsync();
        node.Time.Advance(TimeSpan.FromSeconds(2));
        sink.LetGo();
        Assert.Equal(ConnectionEnd.TokenExpired, await connection.Completion.WaitAsync(Patience));
        Assert.Equal(["e", "dunlin.goodbye"], sink.Frames.Select(f => f.Name));
    }

    [Fact]
    public async Task G4_Catch_up_stops_at_the_expiry()
    {
        using var node = new TestNode(o => o.TailEvents = 4);
        for (var i = 0; i < 1_000; i++)
            await node.PublishAsync("t", i);
        var sink = new TestSink();
        var connection = node.Open(sink, "t", Expires(node, TimeSpan.FromSeconds(2)));
        var blocked = sink.Hold();
        var starting = node.Fanout.StartAsync(connection, "\n"u8.ToArray(), node.Journal.Head with { Offset = 0 });
        await blocked.WaitAsync(Patience);
        node.Time.StepWallClock(TimeSpan.FromSeconds(2));
        sink.LetGo();
        await starting.WaitAsync(Patience);
        Assert.Equal(ConnectionEnd.TokenExpired, await connection.Completion.WaitAsync(Patience));
        Assert.Equal("dunlin.goodbye", Assert.Single(sink.Frames).Name);
    }

    [Fact]
    public async Task A_stream_waits_for_its_expiry_after_the_clock_was_set_back()
    {
        using var node = new TestNode();
        var connection = await node.ConnectAsync(new TestSink(), "t", with: Expires(node, TimeSpan.FromSeconds(10)));
        node.Time.StepWallClock(-TimeSpan.FromSeconds(5));
        node.Time.Advance(TimeSpan.FromSeconds(15) - Millisecond);
        Assert.False(connection.Completion.IsCompleted);
        node.Time.Advance(Millisecond);
        Assert.True(connection.Completion.IsCompleted);
    }

    [Fact]
    public async Task Expiries_of_many_streams_need_one_more_timer_in_all()
    {
        using var node = new TestNode();
        var before = node.Time.ActiveTimers;
        var connections = new List<EventStreamConnection>();
        for (var i = 0; i < 500; i++)
            connections.Add(await node.ConnectAsync(new TestSink(), "t", with: Expires(node, TimeSpan.FromMilliseconds(9_000 + i))));
        Assert.Equal(before, node.Time.ActiveTimers);
        node.Time.Advance(TimeSpan.FromMilliseconds(9_099));
        Assert.Equal(before + 1, node.Time.ActiveTimers);
        Assert.Equal(100, connections.Count(connection => connection.Completion.IsCompleted));
        node.Time.Advance(TimeSpan.FromMilliseconds(400));
        Assert.All(connections, connection => Assert.True(connection.Completion.IsCompleted));
        Assert.Equal(before, node.Time.ActiveTimers);
    }

    private static Func<ConnectionRequest, ConnectionRequest> Expires(TestNode node, TimeSpan lifetime)
    {
        var expiry = node.Time.GetUtcNow() + lifetime;
        return r => r with { Caller = TestNode.User() with { ExpiresAt = expiry } };
    }
}
