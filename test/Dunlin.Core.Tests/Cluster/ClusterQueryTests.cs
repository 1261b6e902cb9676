using Dunlin.Backplane;
using Dunlin.Cluster;
using Dunlin.Core.Tests.Fanout;
using Dunlin.Devices;
using Dunlin.Fanout;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Core.Tests.Cluster;

/// <summary>Queries between nodes of one process.</summary>
public sealed class ClusterQueryTests : IDisposable
{
    private readonly CutBackplane _backplane = new();
    private readonly List<AskingNode> _nodes = [];

    [Fact]
    public async Task Answers_of_all_other_nodes_are_combined_without_duplicates()
    {
        await StartAsync(3);
        foreach (var (node, number) in _nodes.Select((node, number) => (node, number)))
            node.Questions.Answer<int, int?>("times", factor => number == 2 ? null : number * factor);
        var answers = await _nodes[0].Questions.AskAsync<int, int>("times", 10);
        Assert.Equal([10], answers.Value);
        Assert.True(answers.IsComplete);
        Assert.Equal([0, 10], (await _nodes[2].Questions.AskAsync<int, int>("times", 10)).Value.Order());
    }

    [Fact]
    public async Task An_unresponsive_node_is_reported_after_one_second()
    {
        await StartAsync(2);
        _nodes[1].Questions.Answer<string, bool>("is", _ => true);
        _backplane.Cut = _nodes[1].Node.Fanout;
        var asking = _nodes[0].Questions.AnyAsync("is", "");
        Assert.False(asking.IsCompleted);
        _nodes[0].Node.Time.Advance(TimeSpan.FromSeconds(1));
        var answer = await asking;
        Assert.Equal((false, 1, false), (answer.Value, answer.UnresponsiveNodes, answer.IsComplete));
    }

    [Fact]
    public async Task A_node_without_support_is_reported_without_waiting()
    {
        await StartAsync(3);
        _nodes[2].Questions.Answer<string, int>("count", _ => throw new InvalidOperationException("no"));
        var answer = await _nodes[0].Questions.AskAsync<string, int>("count", "");
        Assert.Empty(answer.Value);
        Assert.Equal(2, answer.UnresponsiveNodes);
    }

    [Fact]
    public async Task A_sufficient_answer_ends_the_wait_as_complete()
    {
        await StartAsync(3);
        _nodes[1].Questions.Answer<string, bool>("is", _ => true);
        _backplane.Cut = _nodes[2].Node.Fanout;
        var answer = await _nodes[0].Questions.AnyAsync("is", "");
        Assert.Equal((true, 0), (answer.Value, answer.UnresponsiveNodes));
    }

    [Fact]
    public async Task A_stopped_node_is_not_waited_for_and_a_killed_one_is_dropped()
    {
        await StartAsync(3);
        _nodes[1].Questions.End();
        Assert.Equal(1, _nodes[0].Questions.Others);
        // The third node is silent: after ten seconds it is dropped.
        _backplane.Cut = _nodes[2].Node.Fanout;
        _nodes[0].Node.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, _nodes[0].Questions.Others);
        var answer = await _nodes[0].Questions.AskAsync<string, int>("count", "");
        Assert.Empty(answer.Value);
        Assert.True(answer.IsComplete);
    }

    [Fact]
    public async Task Devices_are_counted_cluster_wide_and_heartbeats_reach_them()
    {
        await StartAsync(2);
        var devices = _nodes.Select(node => new UserDevices(node.Node.Fanout, node.Node.Journal, [], node.Questions)).ToList();
        await Task.WhenAll(devices.Select(node => ((IHostedService)node).StartAsync(default)));
        var phone = new TestSink();
        await _nodes[1].Node.ConnectAsync(phone, "users/ann/devices users/ann/devices/phone");
        await _nodes[1].Node.ConnectAsync(new TestSink(), "users/ann/devices users/ann/devices/phone");
        await _nodes[0].Node.ConnectAsync(new TestSink(), "users/ann/devices users/ann/devices/laptop");
        foreach (var node in devices)
        {
            Assert.Equal(new ClusterAnswer<int>(3, 0), await node.ConnectionCountAsync("ann"));
            Assert.Equal(new ClusterAnswer<bool>(true, 0), await node.IsUserConnectedAsync("ann"));
            Assert.Equal(new ClusterAnswer<bool>(false, 0), await node.IsUserConnectedAsync("bob"));
            Assert.Equal(new ClusterAnswer<bool>(true, 0), await node.IsDeviceConnectedAsync("ann", "phone"));
            Assert.Equal(new ClusterAnswer<bool>(false, 0), await node.IsDeviceConnectedAsync("ann", "tablet"));
            Assert.Equal(["laptop", "phone"], (await node.ConnectedDevicesAsync("ann")).Value.Order(StringComparer.Ordinal));
        }
        Assert.Equal(new ClusterAnswer<bool>(true, 0), await devices[0].SendHeartbeatAsync("ann", "phone"));
        Assert.Equal(new ClusterAnswer<bool>(false, 0), await devices[0].SendHeartbeatAsync("ann", "tablet"));
        await phone.WhenAsync(_ => phone.Text.Contains(":\n\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Streams_of_one_kind_are_counted_cluster_wide()
    {
        await StartAsync(2);
        var counts = _nodes
            .Select(node => new StreamCounts("rooms", c => c.Topics.Any(t => t.IsUnder("rooms")), node.Node.Fanout, node.Questions))
            .ToList();
        counts.ForEach(count => count.Start());
        await _nodes[0].Node.ConnectAsync(new TestSink(), "rooms/1");
        await _nodes[1].Node.ConnectAsync(new TestSink(), "rooms/2");
        await _nodes[1].Node.ConnectAsync(new TestSink(), "rooms/2", with: r => r with { Caller = TestNode.User("bob") });
        await _nodes[1].Node.ConnectAsync(new TestSink(), "halls/2");
        foreach (var node in counts)
            Assert.Equal(new ClusterAnswer<StreamCount>(new StreamCount(2, 3), 0), await node.OfAsync("ann"));
    }

    public void Dispose() => _nodes.ForEach(node => node.Node.Dispose());

    private async Task StartAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var node = new TestNode(backplane: _backplane);
            _nodes.Add(new AskingNode(node, new ClusterQuery(node.Fanout, node.Wheel, node.Time, NullLogger<ClusterQuery>.Instance)));
        }
        _nodes.ForEach(node => node.Questions.Begin());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        // Each node answers the first message of another on a pool thread.
        while (_nodes.Exists(node => node.Questions.Others < count - 1))
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, patience.Token);
    }

    private sealed record AskingNode(TestNode Node, ClusterQuery Questions);

    /// <summary>Connects the nodes of this process and drops all messages of one of them.</summary>
    private sealed class CutBackplane : IBackplane
    {
        private readonly InProcessBackplane _inner = new();

        public IBackplaneNode? Cut { get; set; }

        public void Attach(IBackplaneNode node) => _inner.Attach(node);

        public void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed) { }

        public void Transient(IBackplaneNode from, DunlinEvent entry)
        {
            if (!ReferenceEquals(from, Cut))
                _inner.Transient(from, entry);
        }
    }
}
