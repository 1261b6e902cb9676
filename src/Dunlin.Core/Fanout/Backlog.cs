using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// Holds the events that a conflating connection has read and not yet sent: only the last event of each topic and type. Not thread-safe.
/// </summary>
/// <remarks>
/// A superseded event is never sent, so that a reader that is far behind receives the current state instead of the history. An event with
/// several topics is superseded by one with the same topics only: a reader of one of its topics must not lose the last event there.
/// </remarks>
internal sealed class Backlog(int maxEvents, int maxBytes)
{
    private readonly Dictionary<(TopicName Topic, string Type, string? AlsoOn), DunlinEvent> _latest = [];
    private int _bytes;

    /// <summary>Gets whether the connection must send the backlog before it reads more. Bounds the memory of one slow peer.</summary>
    public bool IsFull => _latest.Count >= maxEvents || _bytes >= maxBytes;

    /// <summary>Adds an event with a higher offset than all earlier ones.</summary>
    /// <returns>Whether it superseded an event.</returns>
    public bool Add(DunlinEvent entry)
    {
        var also = entry.AlsoOn.Count == 0 ? null : string.Join('\n', entry.AlsoOn.Select(static topic => topic.Value));
        var key = (entry.Topic, entry.Type, also);
        var supersedes = _latest.Remove(key, out var before);
        _bytes += entry.Data.Length - (before?.Data.Length ?? 0);
        _latest.Add(key, entry);
        return supersedes;
    }

    /// <summary>Removes and returns all events, in offset order.</summary>
    public List<DunlinEvent> Take()
    {
        var events = _latest.Values.OrderBy(static entry => entry.Position.Offset).ToList();
        Clear();
        return events;
    }

    /// <summary>Removes all events.</summary>
    public void Clear()
    {
        _latest.Clear();
        _bytes = 0;
    }
}
