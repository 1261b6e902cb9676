using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// Delivers to its share of the connections. All work (batches of events, connections that join, leave or lose topics) goes
/// through one inbox and is done by one thread at a time, in order; so the subscriber sets need no lock, and joining cannot
/// race with delivering. A round takes the whole inbox: a connection that gets many events in it is flushed once.
/// </summary>
internal sealed class FanoutShard(EventFanout fanout) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();   // guards _inbox and _scheduled
    private readonly Dictionary<TopicName, SubscriberSet> _topics = [];
    private readonly List<Connection> _round = [];
    private readonly List<Connection> _overflowed = [];
    private List<Work> _inbox = [];
    private List<Work> _taken = [];
    private bool _scheduled;
    private bool _isOneEvent;
    private long _reached;

    /// <summary>Where delivery begins; before any other call.</summary>
    public void Begin(long offset) => _reached = offset;

    public void Deliver(IReadOnlyList<Event> events) => Post(new Work(events, null, null));

    public void Join(Connection connection) => Post(new Work(null, connection, null));

    public void Leave(Connection connection) => Post(new Work(null, connection, []));

    public void Narrow(Connection connection, IReadOnlyList<TopicName> topics) => Post(new Work(null, connection, topics));

    /// <summary>Goes on after events that this node will never have: every connection reads the journal again from where it is.</summary>
    /// <param name="reached">Everything up to here counts as delivered.</param>
    public void LeaveGap(long reached) => Post(new Work(null, null, null, GapThrough: reached));

    /// <summary>Completes when everything posted so far has been done and flushed; the barrier of tests.</summary>
    public Task SettledAsync()
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(new Work(null, null, null, settled));
        return settled.Task;
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_inbox.Count == 0)
                {
                    _scheduled = false;
                    return;
                }
                (_inbox, _taken) = (_taken, _inbox);
            }
            _isOneEvent = _taken is [{ Events.Count: 1 }];
            foreach (var work in _taken)
                Do(work);
            foreach (var connection in _round)
                connection.EndRound();
            foreach (var work in _taken)
                work.Settled?.TrySetResult();
            _taken.Clear();
            _round.Clear();
        }
    }

    private void Post(Work work)
    {
        lock (_gate)
        {
            _inbox.Add(work);
            if (_scheduled)
                return;
            _scheduled = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Do(Work work)
    {
        if (work.Events is { } events)
        {
            for (var i = 0; i < events.Count; i++)
                Deliver(events[i]);
        }
        else if (work.Topics is { } topics)
        {
            Unseat(work.Connection!);
            if (topics.Count > 0 && !work.Connection!.Completion.IsCompleted)
            {
                work.Connection.Topics = topics;
                Seat(work.Connection);
            }
        }
        else if (work.Connection is { } connection)
        {
            GoLive(connection);
        }
        else if (work.GapThrough is { } reached)
        {
            _reached = Math.Max(_reached, reached);
            foreach (var seated in _topics.Values.SelectMany(set => set.Seats.ToArray()).Select(seat => seat.Connection).Distinct().ToList())
            {
                Unseat(seated);
                seated.FallBackToJournal();
            }
        }
    }

    private void Deliver(Event entry)
    {
        var offset = entry.Position.Offset;
        if (offset != 0)
            _reached = offset;
        if (!_topics.TryGetValue(entry.Topic, out var set))
            return;
        IWireFormat? format = null;
        ReadOnlyMemory<byte> frame = default;
        var written = 0;
        foreach (ref readonly var seat in set.Seats)
        {
            var connection = seat.Connection;
            if ((offset != 0 && offset <= connection.Through) || connection.LeavesOut(entry))
                continue;
            if (!ReferenceEquals(format, connection.Format))
            {
                format = connection.Format;
                frame = entry.FrameFor(format);
            }
            if (!frame.IsEmpty)
            {
                written++;
                Stage(connection, frame, offset);
            }
        }
        fanout.Instruments.Delivered.Add(written);
        foreach (var connection in _overflowed)
            Unseat(connection);
        _overflowed.Clear();
    }

    private void Stage(Connection connection, ReadOnlyMemory<byte> frame, long offset)
    {
        switch (connection.Stage(frame, offset))
        {
            case StageResult.Joined when _isOneEvent:
                // Nothing more comes in this round, so it is sent while what belongs to the connection is still in the processor's cache.
                connection.EndRound();
                break;
            case StageResult.Joined:
                _round.Add(connection);
                break;
            case StageResult.Overflowed:
                fanout.Instruments.Overflowed.Add(1);
                _overflowed.Add(connection);
                break;
            default:
                break;
        }
    }

    /// <summary>History to live, in one step of this loop: see the remarks on <see cref="Connection"/>'s catch-up.</summary>
    private void GoLive(Connection connection)
    {
        connection.HandOverToRound();
        _round.Add(connection);
        for (var offset = connection.Through + 1; offset <= _reached; offset++)
        {
            if (fanout.Tail.Find(offset) is not { } entry)
            {
                connection.FallBackToJournal();   // it took so long that the tail has moved on: the journal still has them
                return;
            }
            if (connection.Wants(entry) && entry.FrameFor(connection.Format) is { IsEmpty: false } frame)
            {
                Stage(connection, frame, offset);
                fanout.Instruments.Delivered.Add(1);
            }
            else
            {
                connection.SkipTo(offset);
            }
            if (_overflowed.Remove(connection))
                return;   // not seated: it catches up again once its queue is written
        }
        Seat(connection);
    }

    private void Seat(Connection connection)
    {
        if (connection.Seats is not null || connection.Completion.IsCompleted)
            return;
        var seats = new int[connection.Topics.Count];
        for (var i = 0; i < seats.Length; i++)
        {
            if (!_topics.TryGetValue(connection.Topics[i], out var set))
                _topics.Add(connection.Topics[i], set = new SubscriberSet());
            seats[i] = set.Add(connection, i);
        }
        connection.Seats = seats;
    }

    private void Unseat(Connection connection)
    {
        if (connection.Seats is not { } seats)
            return;
        connection.Seats = null;
        for (var i = 0; i < seats.Length; i++)
        {
            var set = _topics[connection.Topics[i]];
            set.RemoveAt(seats[i]);
            if (set.Count == 0)
                _topics.Remove(connection.Topics[i]);
        }
    }

    /// <param name="Events">To deliver; or null.</param>
    /// <param name="Connection">Who joins (topics null), leaves (topics empty) or keeps only these topics.</param>
    /// <param name="Topics">See the connection.</param>
    /// <param name="Settled">Told at the end of the round; or null.</param>
    /// <param name="GapThrough">Up to where events are missing that will not come; or null.</param>
    private readonly record struct Work(
        IReadOnlyList<Event>? Events, Connection? Connection, IReadOnlyList<TopicName>? Topics, TaskCompletionSource? Settled = null, long? GapThrough = null);
}
