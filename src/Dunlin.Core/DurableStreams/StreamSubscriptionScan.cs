using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>Reads the journal for subscriptions: finds streams with new appends, and streams that have ended. Thread-safe.</summary>
/// <remarks>The store holds the offset of all scans, and a unit of work compares it before it applies a page. Nodes may therefore scan
/// at the same time: one of them applies each page.</remarks>
internal sealed class StreamSubscriptionScan(IStore store, IJournal journal, string prefix)
{
    private const int PageEvents = 256;

    /// <summary>The number of events after which the stored offset moves even if no subscription matches. It limits what a node reads
    /// again after its start.</summary>
    private const int MaxUnsaved = 4_096;

    private readonly TopicPattern _pattern = TopicPattern.Parse(prefix + "/**");

    // No event between the stored offset and this one concerns a subscription. Saves a write for each commit of other streams.
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
            if (page.Through - from >= MaxUnsaved || await ConcernAsync(changes, cancellationToken))
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

    // Reads the subscriptions after the page. A subscription that it does not see is newer than the page, and begins after it.
    private async ValueTask<bool> ConcernAsync(Dictionary<TopicName, StreamChange> changes, CancellationToken cancellationToken) =>
        changes.Count > 0
        && await store.ReadAsync(
            (scope, ct) => UnitStreamSubscriptions.ConcernAsync(UnitStreamSubscriptions.TableOf(scope), changes.Keys, ct),
            cancellationToken
        );

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
