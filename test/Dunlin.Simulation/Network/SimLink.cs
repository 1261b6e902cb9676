using Dunlin.Fanout;
using Dunlin.Simulation.Clients;
using Dunlin.Simulation.Nodes;

namespace Dunlin.Simulation.Network;

/// <summary>One response with an event stream: bytes arrive late, in order, and up to a cut.</summary>
internal sealed class SimLink(SimNode node, SimReader reader)
{
    private readonly TaskCompletionSource _ended = new();
    private TimeSpan _lastArrival;
    private TimeSpan _cutAt = TimeSpan.MaxValue;

    public SimNode Node { get; } = node;

    public SimReader Reader { get; } = reader;

    public bool IsCut => _cutAt < TimeSpan.MaxValue;

    /// <summary>Gets a task that completes when the reader has noticed the end.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Gets or sets the connection on the node; null while the response is not open.</summary>
    public EventStreamConnection? Connection { get; set; }

    public void Send(byte[] bytes)
    {
        var now = Node.World.Time.Elapsed;
        var arrival = now + Node.World.Upto(Node.Cluster.Faults.MaxDelay);
        _lastArrival = arrival > _lastArrival ? arrival : _lastArrival;
        var at = _lastArrival;
        Node.World.Time.CallAfter(
            at - now,
            () =>
            {
                if (at <= _cutAt)
                    Reader.OnBytes(this, bytes);
            }
        );
    }

    /// <summary>Cuts the connection. Bytes on their way may still arrive, up to a moment.</summary>
    /// <param name="isNoticed">Whether the node learns of the cut at once.</param>
    public void Cut(bool isNoticed)
    {
        if (!IsCut)
        {
            _cutAt = Node.World.Time.Elapsed + Node.World.Upto(Node.Cluster.Faults.MaxDelay);
            Node.World.Time.CallAfter(Node.World.Upto(TimeSpan.FromSeconds(5)), () => _ended.TrySetResult());
        }
        if (isNoticed && Connection is { } connection)
            Node.Scheduler.Post(() => connection.Close(ConnectionEnd.Gone));
    }
}

/// <summary>The output of a connection into a link. The peer may be slow, gone, or silent until the node gives up.</summary>
internal sealed class SimSink(SimLink link) : IFrameSink
{
    private readonly TaskCompletionSource _aborted = new();
    private readonly List<byte> _buffer = [];

    public void Write(ReadOnlyMemory<byte> bytes) => _buffer.AddRange(bytes.Span);

    public ValueTask<bool> FlushAsync()
    {
        var world = link.Node.World;
        byte[] bytes = [.. _buffer];
        _buffer.Clear();
        if (link.IsCut)
            return new(false);
        if (world.Chance(link.Node.Cluster.Faults.StreamCut))
        {
            link.Send(bytes[..world.Random.Next(bytes.Length + 1)]);
            link.Cut(isNoticed: world.Chance(0.5));
            return world.Chance(0.3) ? new(SilentAsync()) : new(world.Chance(0.5));
        }
        link.Send(bytes);
        return world.Chance(link.Node.Cluster.Faults.SlowFlush) ? new(SlowAsync()) : new(true);
    }

    public void Abort()
    {
        link.Cut(isNoticed: false);
        _aborted.TrySetResult();
    }

    private async Task<bool> SilentAsync()
    {
        await _aborted.Task;
        return false;
    }

    private async Task<bool> SlowAsync()
    {
        await Task.WhenAny(_aborted.Task, link.Node.World.DelayAsync(link.Node.World.Upto(TimeSpan.FromSeconds(12))));
        return !link.IsCut;
    }
}
