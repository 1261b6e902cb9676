using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>Shares journal pages between connections that catch up. Thread-safe.</summary>
/// <remarks>
/// After an outage, thousands of connections resume from nearly the same position. One read serves all that need a page, and a cache serves
/// later ones.
/// <list type="bullet">
/// <item>A full page never changes, because new events are appended after it. The last page can change, so it is shared only while it is
/// being read; the hand-over to live delivery covers later events.</item>
/// <item>A page ends at a multiple of the stride, so that readers with different start positions continue with the same pages.</item>
/// <item>Pages do not depend on the reader: access checks and exclusions are applied when a page is written.</item>
/// </list>
/// </remarks>
internal sealed class CatchUpPages(IJournal journal, int maxBytes)
{
    // Pages end at a multiple of this offset if they can.
    private const long Stride = 256;

    private readonly Lock _gate = new(); // guards all below
    private readonly Dictionary<Key, Task<JournalPage>> _pages = [];
    private readonly Queue<(Key Key, long Bytes)> _kept = new();
    private long _bytes;

    public ValueTask<JournalPage> ReadAsync(
        IReadOnlyList<TopicName> topics,
        IReadOnlyList<TopicPattern> patterns,
        IReadOnlyList<TopicSelector> selectors,
        long after
    )
    {
        var key = new Key(topics, patterns, selectors, after);
        TaskCompletionSource<JournalPage> reading;
        lock (_gate)
        {
            if (_pages.TryGetValue(key, out var known))
                return new(known);
            reading = new TaskCompletionSource<JournalPage>(TaskCreationOptions.RunContinuationsAsynchronously);
            _pages.Add(key, reading.Task);
        }
        _ = ReadAsync(key, reading);
        return new(reading.Task);
    }

    private async Task ReadAsync(Key key, TaskCompletionSource<JournalPage> reading)
    {
        try
        {
            var page = Cut(
                await journal.ReadAsync(
                    new JournalQuery(key.After, key.Topics) { Patterns = key.Patterns, Selectors = key.Selectors },
                    CancellationToken.None
                ),
                key.After
            );
            lock (_gate)
            {
                if (page.HasMore && !page.Trimmed)
                    Keep(key, page);
                else
                    _pages.Remove(key);
            }
            reading.SetResult(page);
        }
#pragma warning disable CA1031 // all readers that wait for this page receive the error
        catch (Exception error)
#pragma warning restore CA1031
        {
            lock (_gate)
                _pages.Remove(key);
            reading.SetException(error);
        }
    }

    // Requires _gate.
    private void Keep(Key key, JournalPage page)
    {
        var bytes = page.Events.Sum(static entry => (long)entry.Data.Length);
        _kept.Enqueue((key, bytes));
        _bytes += bytes;
        while (_bytes > maxBytes && _kept.TryDequeue(out var oldest))
        {
            _bytes -= oldest.Bytes;
            _pages.Remove(oldest.Key);
        }
    }

    private static JournalPage Cut(JournalPage page, long after)
    {
        var end = page.Through - (page.Through % Stride);
        if (!page.HasMore || end <= after || end == page.Through)
            return page;
        var events = page.Events.TakeWhile(entry => entry.Position.Offset <= end).ToList();
        return page with { Events = events, Through = end };
    }

    private readonly struct Key(
        IReadOnlyList<TopicName> topics,
        IReadOnlyList<TopicPattern> patterns,
        IReadOnlyList<TopicSelector> selectors,
        long after
    ) : IEquatable<Key>
    {
        public IReadOnlyList<TopicName> Topics { get; } = topics;

        public IReadOnlyList<TopicPattern> Patterns { get; } = patterns;

        public IReadOnlyList<TopicSelector> Selectors { get; } = selectors;

        public long After { get; } = after;

        public bool Equals(Key other) =>
            After == other.After
            && (ReferenceEquals(Topics, other.Topics) || Topics.SequenceEqual(other.Topics))
            && (ReferenceEquals(Patterns, other.Patterns) || Patterns.SequenceEqual(other.Patterns))
            && (ReferenceEquals(Selectors, other.Selectors) || Selectors.SequenceEqual(other.Selectors));

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() =>
            HashCode.Combine(
                After,
                Topics.Count,
                Patterns.Count,
                Topics.Count > 0 ? Topics[0] : default,
                Patterns.Count > 0 ? Patterns[0] : null,
                Selectors.Count > 0 ? Selectors[0] : null
            );
    }
}
