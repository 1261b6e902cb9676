using Dunlin.Simulation.Checks;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Scheduling;
using Dunlin.Simulation.Storage;

namespace Dunlin.Simulation.Nodes;

/// <summary>All nodes, their database and what befalls them.</summary>
internal sealed class SimCluster
{
    private readonly SimNode?[] _slots;
    private readonly FaultKinds _kinds;
    private int _lastId;

    public SimCluster(SimWorld world, int nodes, FaultPlan faults, FaultKinds kinds, Sabotage sabotage)
    {
        World = world;
        Faults = faults;
        Sabotage = sabotage;
        _kinds = kinds;
        Database = new SimDatabase(world, sabotage);
        Ledger = new Ledger(this);
        _slots = new SimNode?[nodes];
    }

    public SimWorld World { get; }

    public SimDatabase Database { get; }

    public Ledger Ledger { get; }

    public Sabotage Sabotage { get; }

    public FaultPlan Faults { get; private set; }

    /// <summary>Gets or sets the time from which every node must have applied all ended rights.</summary>
    public DateTimeOffset RestAt { get; set; } = DateTimeOffset.MaxValue;

    public IEnumerable<SimNode> Nodes => _slots.OfType<SimNode>();

    public void StartAll()
    {
        for (var slot = 0; slot < _slots.Length; slot++)
            Boot(slot);
    }

    /// <summary>Returns a node that takes requests; null if there is none.</summary>
    public SimNode? Pick()
    {
        var ready = Nodes.Where(node => node.IsReady).ToList();
        return ready.Count == 0 ? null : ready[World.Random.Next(ready.Count)];
    }

    /// <summary>Ends a node, and starts another one in its place after a time.</summary>
    public void Crash(SimNode node)
    {
        var slot = Array.IndexOf(_slots, node);
        if (slot < 0)
            return;
        node.Trace($"crashes");
        node.Kill();
        Ledger.OnCrash(node);
        Database.OnCrash(node.Scheduler);
        _slots[slot] = null;
        World.Time.CallAfter(World.Upto(TimeSpan.FromSeconds(10)), () => Boot(slot));
    }

    /// <summary>Causes calamities at random times until they are called off.</summary>
    public async Task RageAsync(Func<bool> isOver)
    {
        while (!isOver() && Faults.Calamity < TimeSpan.FromSeconds(5_000))
        {
            await World.DelayAsync(Faults.Calamity * World.Random.NextDouble() * 2);
            if (isOver())
                return;
            Strike();
        }
    }

    public void Calm()
    {
        Faults = Faults.Calm();
        World.Stall = 0;
        Database.IsFull = false;
        foreach (var node in Nodes)
            node.IsPartitioned = false;
    }

    private void Strike()
    {
        var duration = World.Upto(TimeSpan.FromSeconds(20));
        var kind = (FaultKinds)(
            World.Random.Next(4) switch
            {
                0 => 1 << 3,
                1 => 1 << 7,
                2 => 1 << 8,
                _ => 1 << 9,
            }
        );
        if (!_kinds.HasFlag(kind) || Pick() is not { } node)
            return;
        switch (kind)
        {
            case FaultKinds.DiskFull:
                World.Trace.Add(World.Time, "database", $"has no space for {duration.TotalSeconds:F1} s");
                Database.IsFull = true;
                World.Time.CallAfter(duration, () => Database.IsFull = false);
                break;
            case FaultKinds.Crashes when World.Chance(0.3):
                node.Trace($"drains its streams, then ends");
                node.Drain();
                World.Time.CallAfter(TimeSpan.FromSeconds(4), () => Crash(node));
                break;
            case FaultKinds.Crashes:
                Crash(node);
                break;
            case FaultKinds.Pauses:
                node.Trace($"is suspended for {duration.TotalSeconds:F1} s");
                node.Scheduler.Pause(duration);
                break;
            default:
                node.Trace($"cannot reach the database for {duration.TotalSeconds:F1} s");
                node.IsPartitioned = true;
                World.Time.CallAfter(duration, () => node.IsPartitioned = false);
                break;
        }
    }

    private void Boot(int slot)
    {
        var node = new SimNode(this, ++_lastId);
        _slots[slot] = node;
        node.Trace($"starts");
        _ = node.Scheduler.Start(node.StartAsync);
    }
}
