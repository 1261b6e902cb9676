using Dunlin.Backplane;
using Dunlin.Cluster;
using Dunlin.Core.Tests.Fanout;
using Dunlin.Devices;
using Dunlin.Fanout;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Core.Tests.Cluster;

/// <summary>Nodes of one process that ask each other.</summary>
public sealed class ClusterQueryTests : IDisposable
{
    private readonly CutBackplane _backplane = new();
    private readonly List<AskingNode> _nodes = [];

    [Fact]
    public async Task The_answers_of_all_other_nodes_come_together_and_nothing_is_said_twice()
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
    public async Task A_node_that_does_not_answer_is_waited_for_a_second_and_told_of()
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
    public async Task Who_cannot_answer_is_told_of_and_not_waited_for()
    {
        await StartAsync(3);
        _nodes[2].Questions.Answer<string, int>("count", _ => throw new InvalidOperationException("no"));
        var answer = await _nodes[0].Questions.AskAsync<string, int>("count", "");
        Assert.Empty(answer.Value);
        Assert.Equal(2, answer.UnresponsiveNodes);
    }

    [Fact]
    public async Task An_answer_that_is_enough_ends_the_waiting_and_nothing_is_missing_from_it()
    {
        await StartAsync(3);
        _nodes[1].Questions.Answer<string, bool>("is", _ => true);
        _backplane.Cut = _nodes[2].Node.Fanout;
        var answer = await _nodes[0].Questions.AnyAsync("is", "");
        Assert.Equal((true, 0), (answer.Value, answer.UnresponsiveNodes));
    }

    [Fact]
    public async Task A_node_that_goes_is_not_waited_for_and_one_that_was_killed_is_forgotten()
    {
        await StartAsync(3);
        _nodes[1].Questions.End();
        Assert.Equal(1, _nodes[0].Questions.Others);
        // Nothing more is heard of the third: ten seconds later it is no node any more.
        _backplane.Cut = _nodes[2].Node.Fanout;
        _nodes[0].Node.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, _nodes[0].Questions.Others);
        var answer = await _nodes[0].Questions.AskAsync<string, int>("count", "");
        Assert.Empty(answer.Value);
        Assert.True(answer.IsComplete);
    }

    [Fact]
    public async Task Devices_are_counted_at_all_nodes_and_a_heartbeat_reaches_them_there()
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
    public async Task Streams_of_one_kind_are_counted_at_all_nodes()
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
        // Each answers the first word of another on a thread of the pool.
        while (_nodes.Exists(node => node.Questions.Others < count - 1))
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, patience.Token);
    }

    private sealed record AskingNode(TestNode Node, ClusterQuery Questions);

    /// <summary>Joins the nodes of this process, and passes on nothing that one of them says.</summary>
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
