using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

public sealed class EventTailTests
{
    [Fact]
    public void A_tail_after_a_gap_holds_the_last_events_and_none_before_it()
    {
        var tail = new EventTail(capacity: 4, maxBytes: 1_000);
        for (var offset = 1; offset <= 4; offset++)
            tail.Add(Event(offset));
        for (var offset = 100; offset <= 103; offset++)
            tail.Add(Event(offset));
        Assert.Equal([100, 101, 102, 103], Held(tail));
    }

    [Fact]
    public void A_tail_over_its_bytes_drops_the_oldest_events_first()
    {
        var tail = new EventTail(capacity: 8, maxBytes: 25);
        for (var offset = 1; offset <= 8; offset++)
            tail.Add(Event(offset));
        Assert.Equal([7, 8], Held(tail));
    }

    private static IEnumerable<long> Held(EventTail tail) =>
        Enumerable.Range(1, 200).Where(offset => tail.Find(offset) is not null).Select(offset => (long)offset);

    /// <summary>An event of ten bytes.</summary>
    private static DunlinEvent Event(long offset) =>
        new(new Position(1, offset), TestNode.Draft("t", "8 chars."), DateTimeOffset.UnixEpoch);
}
