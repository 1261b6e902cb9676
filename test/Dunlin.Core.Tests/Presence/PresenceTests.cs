using Dunlin.Core.Tests.Fanout;
using Dunlin.Fanout;
using Dunlin.Presence;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Presence;

public sealed class PresenceTests : IDisposable
{
    private static readonly TopicName Room = TopicName.Parse("room");
    private readonly TestNode _node = new();
    private readonly PresenceRegistry _presence;

    public PresenceTests()
    {
        _presence = new PresenceRegistry(
            _node.Fanout,
            _node.Wheel,
            _node.Time,
            Options.Create(new PresenceOptions { Grace = TimeSpan.FromSeconds(10) })
        );
        _ = _presence.StartAsync(default);
    }

    [Fact]
    public async Task A_user_joins_once_with_many_connections_and_leaves_after_the_grace()
    {
        var watcher = new TestSink();
        await ConnectAsync("watcher", watcher);
        await watcher.WhenCountAsync(0);
        var one = await ConnectAsync("ann", new TestSink());
        var two = await ConnectAsync("ann", new TestSink());
        Assert.Equal(("ann", 2), _presence.List(Room).Where(p => p.UserId == "ann").Select(p => (p.UserId, p.Connections)).Single());
        await CloseAsync(one);
        await CloseAsync(two);
        _node.Time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(0, _presence.List(Room).Single(p => p.UserId == "ann").Connections);
        _node.Time.Advance(TimeSpan.FromSeconds(4));
        var frames = await watcher.WhenAsync(f => f.Any(x => x.Name == "presence.left"));
        Assert.Equal(
            ["presence.joined", "presence.left"],
            frames.Where(f => f.Data.Contains("ann", StringComparison.Ordinal)).Select(f => f.Name)
        );
        Assert.DoesNotContain(_presence.List(Room), p => p.UserId == "ann");
    }

    [Fact]
    public async Task A_timer_that_is_late_ends_no_presence_of_a_later_connection()
    {
        await CloseAsync(await ConnectAsync("ann", new TestSink()));
        // The wheel calls it just before the registry, when the registry's entry is due already.
        _node.Wheel.Schedule(new WheelAction(() => Open("ann").Abandon()), TimeSpan.FromSeconds(10));
        _node.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, Assert.Single(_presence.List(Room)).Connections);
        await ConnectAsync("ann", new TestSink());
        _node.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(1, Assert.Single(_presence.List(Room)).Connections);
    }

    [Fact]
    public async Task A_reconnect_within_the_grace_is_no_leave_or_join()
    {
        var watcher = new TestSink();
        await ConnectAsync("watcher", watcher);
        var first = await ConnectAsync("ann", new TestSink());
        await CloseAsync(first);
        _node.Time.Advance(TimeSpan.FromSeconds(5));
        await ConnectAsync("ann", new TestSink());
        _node.Time.Advance(TimeSpan.FromSeconds(60));
        _node.Fanout.PublishTransient(TestNode.Draft("room", "end"));
        var frames = await watcher.WhenAsync(f => f.Any(x => x.Data == "\"end\""));
        Assert.Single(frames, f => f.Data.Contains("ann", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_user_is_present_on_named_text_topics_and_not_on_selected_ones()
    {
        var (named, selected) = (TopicName.ForText("lists/1"), TopicName.ForText("items/1"));
        var watcher = new TestSink();
        await _node.ConnectAsync(watcher, "x", with: r => r with { Topics = [named, selected] });
        await _node.ConnectAsync(
            new TestSink(),
            "x",
            with: r => r with { Topics = [named], Selectors = [new BeginsWith("items/")], IsPresent = true }
        );
        Assert.Equal("ann", Assert.Single(_presence.List(named)).UserId);
        Assert.Empty(_presence.List(selected));
        Assert.Equal("presence.joined", Assert.Single(await watcher.WhenCountAsync(1)).Name);
    }

    public void Dispose() => _node.Dispose();

    private static async Task CloseAsync(EventStreamConnection connection)
    {
        connection.Close(ConnectionEnd.Gone);
        await connection.Completion;
    }

    private EventStreamConnection Open(string user) =>
        _node.Open(new TestSink(), "room", request => request with { Caller = TestNode.User(user), IsPresent = true });

    private Task<EventStreamConnection> ConnectAsync(string user, TestSink sink) =>
        _node.ConnectAsync(sink, "room", with: r => r with { Caller = TestNode.User(user), IsPresent = true });
}
