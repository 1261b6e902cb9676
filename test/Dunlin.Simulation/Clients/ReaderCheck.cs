using System.Text;
using Dunlin.Journal;
using Dunlin.Simulation.Network;
using Dunlin.Simulation.Nodes;
using Dunlin.Simulation.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>Compares what one reader receives with the log of the database.</summary>
/// <remarks>
/// Invariants: ids grow. Between two ids lies no event that the reader may read, except one that a later event supersedes for a conflating
/// reader. A reset occurs only if retention removed events. A restricted event never arrives. After a right has ended and its
/// <see cref="RevocationBound"/> has passed, no new event of the topic arrives.
/// </remarks>
internal sealed class ReaderCheck(SimCluster cluster, SimReader reader)
{
    /// <summary>The longest time that nodes may need to apply an ended right, with suspended nodes and slow policies.</summary>
    public static readonly TimeSpan RevocationBound = TimeSpan.FromSeconds(60);

    public long Received { get; private set; }

    public void OnEvent(SimLink link, Position? last, Frame frame)
    {
        if (frame.Id is not { } id)
            return;
        if (id.Offset < 1 || id.Offset > cluster.Database.Log.Count)
            throw Broken("order", $"received offset {id.Offset}, but the head is {cluster.Database.Log.Count}");
        if (last is { } position && id.Offset <= position.Offset)
            throw Broken("order", $"received offset {id.Offset} after offset {position.Offset}");
        var entry = cluster.Database.Log[(int)id.Offset - 1];
        if (entry.Topic.Value != frame.Topic || entry.Type != frame.Type || Encoding.UTF8.GetString(entry.Data.Span) != frame.Data)
            throw Broken("content", $"received other content at offset {id.Offset}: {frame.Topic} {frame.Type} {frame.Data}");
        if (entry.IsRestricted)
            throw Broken("rights", $"received the restricted event {id.Offset}");
        CheckRight(entry);
        if (Missing(last?.Offset ?? 0, id.Offset - 1) is { } missing && last is not null)
            throw Broken("gap", $"received offset {id.Offset} after {last.Value.Offset} from {link.Node.Name}, without {missing}");
        Received++;
    }

    public void OnReset(Position? last, Position to, string reason)
    {
        if (!cluster.Database.HasTrimmed)
            throw Broken("reset", $"was reset from {last?.Offset} to {to.Offset} although no event was removed: {reason}");
        if (last is { } position && to.Offset < position.Offset)
            throw Broken("cursor", $"was reset from {position.Offset} back to {to.Offset}: {reason}");
    }

    public void OnRevoked(SimLink link, string topics)
    {
        if (cluster.Database.Rights.MayReadAll(reader.Caller.UserId))
            throw Broken("rights", $"lost {topics} on {link.Node.Name} although no right has ended");
    }

    /// <summary>Checks that the reader has received everything up to the head.</summary>
    public void AtEnd()
    {
        if (reader.IsRetired)
            return;
        var last = reader.Last ?? throw Broken("quiesce", "never received a first frame");
        if (Missing(last.Offset, cluster.Database.Log.Count) is { } missing)
            throw Broken("quiesce", $"stays at {last.Offset} without {missing}; the head is {cluster.Database.Log.Count}");
    }

    // An event on several topics may arrive until the last of their rights has ended.
    private void CheckRight(DunlinEvent entry)
    {
        TimeSpan? last = null;
        foreach (var topic in entry.AlsoOn.Prepend(entry.Topic).Where(IsOn))
        {
            if (cluster.Database.Rights.EndOf(reader.Caller.UserId, topic.Value) is not { } end)
                return;
            last = last > end ? last : end;
        }
        if (last is { } at && (entry.Time > Start + at + RevocationBound || entry.Time >= cluster.RestAt))
            throw Broken("rights", $"received event {entry.Position.Offset} of {entry.Topic}, whose right ended at {at.TotalSeconds:F1} s");
    }

    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private bool IsOn(TopicName topic) => reader.Topics.Contains(topic) || reader.Patterns.Any(pattern => pattern.Covers(topic.Value));

    private long? Missing(long after, long through)
    {
        for (var offset = after + 1; offset <= through; offset++)
        {
            var entry = cluster.Database.Log[(int)offset - 1];
            if (IsDue(entry) && !(reader.Conflates && IsSuperseded(entry)))
                return offset;
        }
        return null;
    }

    private bool IsDue(DunlinEvent entry)
    {
        if (entry.IsRestricted)
            return false;
        foreach (var topic in entry.AlsoOn.Prepend(entry.Topic))
        {
            if (IsOn(topic) && cluster.Database.Rights.MayRead(reader.Caller.UserId, topic.Value))
                return true;
        }
        return false;
    }

    private bool IsSuperseded(DunlinEvent entry)
    {
        for (var offset = (int)entry.Position.Offset; offset < cluster.Database.Log.Count; offset++)
        {
            var later = cluster.Database.Log[offset];
            if (later.Topic == entry.Topic && later.Type == entry.Type && later.AlsoOn.SequenceEqual(entry.AlsoOn))
                return true;
        }
        return false;
    }

    private SimulationException Broken(string check, string what) => new(check, $"{reader.Name} {what}.");
}
