using Dunlin.Fanout;
using Dunlin.Interleavings.Tests.Exploring;
using Dunlin.Leases;
using Dunlin.Scheduling;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>The graces of lost connections, beside reconnects, further disconnects and releases.</summary>
public sealed class LeaseInterleavings
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly ResourceName File = ResourceName.Parse("files/1");
    private static readonly LeaseInstruments Instruments = new(new TestMeters());

    [Fact]
    public void A_late_timer_ends_no_grace_of_a_later_disconnect() =>
        Explorer.Explore(async scenario =>
        {
            var (node, leases) = await NodeAsync();
            Open(node).Abandon();
            node.Time.Advance(Grace - TimerWheel.Slot);
            scenario.Thread("wheel", () => node.Time.Advance(2 * TimerWheel.Slot));
            scenario.Thread("page", () => Open(node).Abandon());
            scenario.Then(async () =>
            {
                // The third connection counts, also if a timer of the first two is late.
                _ = Open(node);
                await HoldAsync(leases);
                node.Time.Advance(3 * Grace);
                await scenario.SettleAsync();
                Assert.True(await IsHeldAsync(leases), "The lease of a connected page was released.");
            });
        });

    [Fact]
    public void A_page_that_is_back_keeps_the_lease_it_acquires() =>
        Explorer.Explore(async scenario =>
        {
            var (node, leases) = await NodeAsync();
            Open(node).Abandon();
            node.Time.Advance(Grace - TimerWheel.Slot);
            scenario.Thread("wheel", () => node.Time.Advance(2 * TimerWheel.Slot));
            scenario.Thread("page", () => Open(node));
            scenario.Then(async () =>
            {
                await HoldAsync(leases);
                node.Time.Advance(3 * Grace);
                await scenario.SettleAsync();
                Assert.True(await IsHeldAsync(leases), "The lease of a connected page was released.");
            });
        });

    [Fact]
    public void A_lost_page_loses_its_lease_after_the_last_grace() =>
        Explorer.Explore(async scenario =>
        {
            var (node, leases) = await NodeAsync();
            await HoldAsync(leases);
            var connections = new[] { Open(node), Open(node) };
            scenario.Thread("first tab", connections[0].Abandon);
            scenario.Thread("second tab", connections[1].Abandon);
            scenario.Thread("third tab", () => Open(node).Abandon());
            scenario.Then(async () =>
            {
                Assert.True(await IsHeldAsync(leases), "The lease was released before the grace.");
                node.Time.Advance(Grace + TimerWheel.Slot);
                await scenario.SettleAsync();
                Assert.False(await IsHeldAsync(leases), "The lease outlived the grace.");
            });
        });

    private static async Task<(ScenarioNode Node, LeaseService Leases)> NodeAsync()
    {
        var node = new ScenarioNode();
        var options = Options.Create(new LeaseOptions { DisconnectGrace = Grace });
        var leases = new LeaseService(node.Store, [], node.Wheel, options, Instruments, NullLogger<LeaseService>.Instance);
        await new DisconnectMonitor(node.Fanout, leases, node.Wheel, options, NullLogger<DisconnectMonitor>.Instance).StartAsync(default);
        return (node, leases);
    }

    private static EventStreamConnection Open(ScenarioNode node) =>
        node.Open(new ScenarioSink(), ScenarioNode.User(session: "s", device: "tab"));

    private static async Task HoldAsync(LeaseService leases) =>
        (
            await leases.AcquireAsync(
                new LeaseRequest(File, "lease-id-of-ann", new LeaseOwner("ann", "ann", "s", null, "tab"), LeaseDuration.FromSeconds(3_600))
            )
        ).OrThrow();

    private static async Task<bool> IsHeldAsync(LeaseService leases) => (await leases.ListAsync(new LeaseQuery())).Leases.Count > 0;
}
