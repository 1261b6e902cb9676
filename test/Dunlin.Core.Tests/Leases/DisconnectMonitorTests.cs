using Dunlin.Core.Tests.Fanout;
using Dunlin.Fanout;
using Dunlin.Leases;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Core.Tests.Leases;

public sealed class DisconnectMonitorTests : IDisposable
{
    private static readonly ResourceName File = ResourceName.Parse("files/1");
    private readonly TestNode _node = new();
    private readonly LeaseService _leases;
    private readonly DisconnectMonitor _monitor;

    public DisconnectMonitorTests()
    {
        var options = Options.Create(new LeaseOptions { DisconnectGrace = TimeSpan.FromSeconds(10) });
        _leases = new LeaseService(
            _node.Store,
            [],
            _node.Wheel,
            options,
            new LeaseInstruments(new TestKit.TestMeters()),
            NullLogger<LeaseService>.Instance
        );
        _monitor = new DisconnectMonitor(_node.Fanout, _leases, _node.Wheel, options, NullLogger<DisconnectMonitor>.Instance);
        _ = _monitor.StartAsync(default);
    }

    [Fact]
    public async Task A_lost_connection_releases_its_lease_after_the_grace_for_waiters()
    {
        var (watcher, holder) = (new TestSink(), new TestSink());
        await _node.ConnectAsync(watcher, "leases/files");
        var connection = await ConnectAsync(holder, "tab");
        await HoldAsync();
        connection.Close(ConnectionEnd.Gone);
        await connection.Completion;
        _node.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(await IsHeldAsync());
        _node.Time.Advance(TimeSpan.FromSeconds(3));
        var frames = await watcher.WhenAsync(f => f.Any(x => x.Name == "lease.released"));
        Assert.Contains("\"reason\":\"disconnected\"", frames[^1].Data, StringComparison.Ordinal);
        Assert.False(await IsHeldAsync());
    }

    [Fact]
    public async Task A_reconnect_within_the_grace_keeps_the_lease()
    {
        var connection = await ConnectAsync(new TestSink(), "tab");
        await HoldAsync();
        connection.Close(ConnectionEnd.Gone);
        await connection.Completion;
        _node.Time.Advance(TimeSpan.FromSeconds(8));
        await ConnectAsync(new TestSink(), "tab");
        _node.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(await IsHeldAsync());
    }

    [Fact]
    public async Task A_timer_that_is_late_ends_no_grace_of_a_later_disconnect()
    {
        await HoldAsync();
        await CloseAsync(await ConnectAsync(new TestSink(), "tab"));
        // The wheel calls it just before the monitor, when the monitor's entry is due already.
        _node.Wheel.Schedule(new WheelAction(() => _node.Open(new TestSink(), "t", AsTab).Abandon()), TimeSpan.FromSeconds(10));
        _node.Time.Advance(TimeSpan.FromSeconds(11));
        await ConnectAsync(new TestSink(), "tab");
        _node.Time.Advance(TimeSpan.FromSeconds(30));
        await _node.Fanout.SettledAsync();
        Assert.True(_monitor.IsConnected(new DisconnectMonitor.Key("ann", "s1", "tab", null)));
    }

    [Fact]
    public async Task Another_tab_of_the_browser_keeps_the_lease_but_not_another_device()
    {
        var first = await ConnectAsync(new TestSink(), "laptop");
        var second = await ConnectAsync(new TestSink(), "laptop");
        var phone = await ConnectAsync(new TestSink(), "phone");
        await HoldAsync("laptop");
        await CloseAsync(first);
        _node.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(await IsHeldAsync());

        var released = new TestSink();
        await _node.ConnectAsync(released, "leases/files");
        await CloseAsync(second);
        _node.Time.Advance(TimeSpan.FromSeconds(12));
        await released.WhenAsync(f => f.Any(x => x.Name == "lease.released"));
        Assert.False(await IsHeldAsync());
        Assert.False(phone.Completion.IsCompleted);
    }

    [Fact]
    public async Task Equal_session_and_device_ids_end_no_lease_of_another_user()
    {
        var ann = await ConnectAsync(new TestSink(), "tab");
        var bob = await _node.ConnectAsync(new TestSink(), "t", with: r => r with { Caller = TestNode.User("bob", "s1", "tab") });
        await HoldAsync();
        var (watcher, other) = (new TestSink(), ResourceName.Parse("files/2"));
        await _node.ConnectAsync(watcher, "leases/files");
        (
            await _leases.AcquireAsync(
                new LeaseRequest(
                    other,
                    "lease-id-of-bob",
                    new LeaseOwner("bob", "Bob", "s1", null, "tab"),
                    LeaseDuration.FromSeconds(3_600)
                )
            )
        ).OrThrow();
        await CloseAsync(bob);
        _node.Time.Advance(TimeSpan.FromSeconds(12));
        await watcher.WhenAsync(f => f.Any(x => x.Name == "lease.released"));
        Assert.Equal("files/1", Assert.Single((await _leases.ListAsync(new LeaseQuery())).Leases).Resource.Value);
        Assert.False(ann.Completion.IsCompleted);
    }

    public void Dispose()
    {
        GC.KeepAlive(_monitor);
        _node.Dispose();
    }

    private static async Task CloseAsync(EventStreamConnection connection)
    {
        connection.Close(ConnectionEnd.Gone);
        await connection.Completion;
    }

    private Task<EventStreamConnection> ConnectAsync(TestSink sink, string device) =>
        _node.ConnectAsync(sink, "t", with: r => r with { Caller = TestNode.User("ann", "s1", device) });

    private static ConnectionRequest AsTab(ConnectionRequest request) => request with { Caller = TestNode.User("ann", "s1", "tab") };

    private async Task HoldAsync(string device = "tab") =>
        (
            await _leases.AcquireAsync(
                new LeaseRequest(
                    File,
                    "lease-id-of-ann",
                    new LeaseOwner("ann", "Ann", "s1", null, device),
                    LeaseDuration.FromSeconds(3_600)
                )
            )
        ).OrThrow();

    private async Task<bool> IsHeldAsync() => (await _leases.ListAsync(new LeaseQuery())).Leases.Count > 0;
}
