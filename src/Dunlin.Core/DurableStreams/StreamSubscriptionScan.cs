using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>Reads the journal for subscriptions: finds streams with new appends, and streams that have ended. Thread-safe.</summary>
/// <remarks>The store holds the offset of all scans, and a unit of work compares it before it applies a page. Nodes may therefore scan
/// at the same time: one of them applies each page.</remarks>
internal sealed class StreamSubscriptionScan(IStore store, IJournal journal, string prefix)
{
    private const int PageEvents = 256;

    private readonly TopicPattern _pattern = TopicPattern.Parse(prefix + "/**");

    // The journal has no event of a stream between the stored offset and this one. Saves a write for commits of other topics.
    private long _empty;

    /// <summary>Scans through the head that this node knows.</summary>
    /// <returns>Whether there are subscriptions.</returns>
    public async ValueTask<bool> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var stored = await store.ReadAsync(
                static (scope, ct) => UnitStreamSubscriptions.TableOf(scope).FindScannedAsync(ct),
                cancellationToken
            );
            if (stored is not { } from)
                return false;
            var start = Math.Max(from, Volatile.Read(ref _empty));
            var page = await journal.ReadAsync(new JournalQuery(start, [], PageEvents) { Patterns = [_pattern] }, cancellationToken);
            if (page.Through <= start)
                return true;
            var changes = Read(page.Events);
            if (changes.Count > 0)
                await store.WriteAsync(
                    (unit, ct) => new UnitStreamSubscriptions(unit).ApplyAsync(from, page.Through, changes, ct),
                    cancellationToken
                );
            else
                Volatile.Write(ref _empty, page.Through);
            if (!page.HasMore)
                return true;
        }
    }

    private static Dictionary<TopicName, StreamChange> Read(IReadOnlyList<DunlinEvent> events)
    {
        var changes = new Dictionary<TopicName, StreamChange>();
        foreach (var entry in events)
        {
            var known = changes.GetValueOrDefault(entry.Topic) ?? new StreamChange(0, 0);
            if (entry.Type == StreamEvents.EndedType)
                changes[entry.Topic] = new StreamChange(entry.Position.Offset, 0);
            else if (entry.Type == StreamEvents.EventType)
                changes[entry.Topic] = known with { Tail = entry.Position.Offset };
        }
        return changes;
    }
}
