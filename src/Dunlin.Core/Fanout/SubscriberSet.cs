namespace Dunlin.Fanout;

/// <summary>The connections subscribed to one topic or pattern, dense, so that delivering walks an array; adding and removing cost the
/// same whatever the number. Owned by one shard.</summary>
internal sealed class SubscriberSet
{
    private Seat[] _seats = new Seat[1];

    public int Count { get; private set; }

    public ReadOnlySpan<Seat> Seats => _seats.AsSpan(0, Count);

    public int Add(EventStreamConnection connection, int topicIndex)
    {
        if (Count == _seats.Length)
            Array.Resize(ref _seats, Count * 2);
        _seats[Count] = new Seat(connection, topicIndex);
        return Count++;
    }

    public void RemoveAt(int seat)
    {
        var last = _seats[--Count];
        _seats[Count] = default;
        if (seat == Count)
            return;
        _seats[seat] = last;
        last.Connection.Seats![last.TopicIndex] = seat;
    }

    internal readonly record struct Seat(EventStreamConnection Connection, int TopicIndex);
}
