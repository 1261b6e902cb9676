using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// What a conflating connection has read of the journal and not been sent yet: of each topic and type the last event only. Whatever
/// an event supersedes is never sent, so that a reader which is far behind gets the present instead of the past.
/// Not for concurrent use.
/// </summary>
internal sealed class Backlog(int maxEvents, int maxBytes)
{
    private readonly Dictionary<(TopicName Topic, string Type), DunlinEvent> _latest = [];
    private int _bytes;

    /// <summary>Whether it is to be sent before more is read: one slow peer holds no more than this in memory.</summary>
    public bool IsFull => _latest.Count >= maxEvents || _bytes >= maxBytes;

    /// <summary>Adds an event that is later than all before.</summary>
    /// <returns>Whether it superseded one.</returns>
    public bool Add(DunlinEvent entry)
    {
        var key = (entry.Topic, entry.Type);
        var supersedes = _latest.Remove(key, out var before);
        _bytes += entry.Data.Length - (before?.Data.Length ?? 0);
        _latest.Add(key, entry);
        return supersedes;
    }

    /// <summary>Takes everything, in the order of the journal.</summary>
    public List<DunlinEvent> Take()
    {
        var events = _latest.Values.OrderBy(static entry => entry.Position.Offset).ToList();
        Clear();
        return events;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _latest.Clear();
        _bytes = 0;
    }
}
