using Dunlin.Backplane;
using Dunlin.Journal;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Nodes;

namespace Dunlin.Simulation.Network;

/// <summary>One node's end of the notifications between nodes. It delays, reorders, repeats and loses them.</summary>
internal sealed class SimBackplane(SimNode node) : IBackplane
{
    private IBackplaneNode? _receiver;

    public void Attach(IBackplaneNode node) => _receiver = node;

    public void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed)
    {
        if (node.Cluster.Sabotage == Sabotage.NoNotificationsAndNoPoll)
            return;
        // A store announces positions, a faster backplane the events themselves.
        var bringsEvents = node.World.Chance(0.7);
        Send(receiver =>
        {
            if (bringsEvents)
                receiver.OnCommitNotification(committed);
            else
                receiver.OnReached(committed[^1].Position);
        });
    }

    public void Transient(IBackplaneNode from, DunlinEvent entry) => Send(receiver => receiver.OnTransient(entry));

    private void Send(Action<IBackplaneNode> message)
    {
        foreach (var other in node.Cluster.Nodes)
        {
            if (other == node || other.IsDead)
                continue;
            if (node.World.Chance(node.Cluster.Faults.NotificationLoss))
                continue;
            Deliver(other, message);
            if (node.World.Chance(node.Cluster.Faults.NotificationRepeat))
                Deliver(other, message);
        }
    }

    private void Deliver(SimNode other, Action<IBackplaneNode> message) =>
        node.World.Time.CallAfter(
            node.World.Upto(node.Cluster.Faults.MaxDelay),
            () =>
            {
                if (!other.IsDead && other.Backplane._receiver is { } receiver)
                    other.Scheduler.Post(() => message(receiver));
            }
        );
}
