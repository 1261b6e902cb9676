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
    private readonly Lock _gate = new(); // guards _inbox and _scheduled
    private readonly Dictionary<TopicName, SubscriberSet> _topics = [];
    private readonly PatternIndex _patterns = new();
    private readonly List<Connection> _round = [];
    private readonly List<Connection> _overflowed = [];
    private List<Work> _inbox = [];
    private List<Work> _taken = [];
    private bool _scheduled;
    private bool _isOneEvent;
    private long _reached;
    private long _delivery; // numbers the events that patterns match, transient ones too

    /// <summary>Where delivery begins; before any other call.</summary>
    public void Begin(long offset) => _reached = offset;

    public void Deliver(IReadOnlyList<Event> events, DeliverySpan? span) => Post(new Work(events, null, null, Span: span));

    public void Join(Connection connection) => Post(new Work(null, connection, null));

    public void Leave(Connection connection) => Post(new Work(null, connection, RemainingTopics.Nothing));

    public void Narrow(Connection connection, IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns) =>
        Post(new Work(null, connection, new RemainingTopics(topics, patterns)));

    /// <summary>Goes on after events that this node will never have: every connection reads the journal again from where it is.</summary>
    /// <param name="reached">Everything up to here counts as delivered.</param>
    public void SkipGap(long reached) => Post(new Work(null, null, null, GapThrough: reached));

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
            var written = 0;
            for (var i = 0; i < events.Count; i++)
                written += Deliver(events[i]);
            work.Span?.End(written);
        }
        else if (work.Remaining is { } remaining)
        {
            // One that catches up is seated when it has: seated now, it would take what happens before what it still has to read.
            var wasSeated = work.Connection!.Seats is not null;
            Unsubscribe(work.Connection);
            if (ReferenceEquals(remaining, RemainingTopics.Nothing))
                return;
            work.Connection.Keep(remaining.Topics, remaining.Patterns);
            if (wasSeated)
                Subscribe(work.Connection);
        }
        else if (work.Connection is { } connection)
        {
            GoLive(connection);
        }
        else if (work.GapThrough is { } reached)
        {
            _reached = Math.Max(_reached, reached);
            foreach (
                var seated in _topics
                    .Values.Concat(_patterns.Sets)
                    .SelectMany(set => set.Seats.ToArray())
                    .Select(seat => seat.Connection)
                    .Distinct()
                    .ToList()
            )
            {
                Unsubscribe(seated);
                seated.FallBackToJournal();
            }
        }
    }

    private int Deliver(Event entry)
    {
        var offset = entry.Position.Offset;
        if (offset != 0)
            _reached = offset;
        _topics.TryGetValue(entry.Topic, out var set);
        var matching = _patterns.Matching(entry.Topic);
        if (set is null && matching.Length == 0)
            return 0;
        if (matching.Length > 0)
            _delivery++;
        var written = set is null ? 0 : DeliverTo(set, entry, mayRepeat: matching.Length > 0);
        foreach (var other in matching)
            written += DeliverTo(other, entry, mayRepeat: true);
        fanout.Instruments.Delivered.Add(written);
        foreach (var connection in _overflowed)
            Unsubscribe(connection);
        _overflowed.Clear();
        return written;
    }

    /// <param name="set">The connections.</param>
    /// <param name="entry">The event.</param>
    /// <param name="mayRepeat">Whether a connection may be in another set that the event goes to as well. Its <see
    /// cref="Connection.LastSentOffset"/> does not tell: a transient event does not move it, nor one for which the queue was full.</param>
    private int DeliverTo(SubscriberSet set, Event entry, bool mayRepeat)
    {
        var offset = entry.Position.Offset;
        IWireFormat? format = null;
        ReadOnlyMemory<byte> frame = default;
        var written = 0;
        foreach (ref readonly var seat in set.Seats)
        {
            var connection = seat.Connection;
            if ((offset != 0 && offset <= connection.LastSentOffset) || connection.LeavesOut(entry))
                continue;
            if (mayRepeat && !connection.IsFirstOf(_delivery))
                continue;
            if (!ReferenceEquals(format, connection.Format))
            {
                format = connection.Format;
                frame = entry.FrameFor(format, fanout.FormatFailed);
            }
            if (!frame.IsEmpty)
            {
                written++;
                Stage(connection, frame, offset);
            }
        }
        return written;
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
        for (var offset = connection.LastSentOffset + 1; offset <= _reached; offset++)
        {
            if (fanout.Tail.Find(offset) is not { } entry)
            {
                connection.FallBackToJournal(); // it took so long that the tail has moved on: the journal still has them
                return;
            }
            if (connection.Wants(entry) && entry.FrameFor(connection.Format, fanout.FormatFailed) is { IsEmpty: false } frame)
            {
                Stage(connection, frame, offset);
                fanout.Instruments.Delivered.Add(1);
            }
            else
            {
                connection.SkipTo(offset);
            }
            if (_overflowed.Remove(connection))
                return; // not seated: it catches up again once its queue is written
        }
        Subscribe(connection);
    }

    private void Subscribe(Connection connection)
    {
        if (connection.Seats is not null || connection.Completion.IsCompleted)
            return;
        var (topics, patterns) = (connection.Topics.Count, connection.Patterns);
        var seats = new int[topics + patterns.Count];
        for (var i = 0; i < topics; i++)
        {
            if (!_topics.TryGetValue(connection.Topics[i], out var set))
                _topics.Add(connection.Topics[i], set = new SubscriberSet());
            seats[i] = set.Add(connection, i);
        }
        for (var i = 0; i < patterns.Count; i++)
            seats[topics + i] = _patterns.GetOrAdd(patterns[i]).Add(connection, topics + i);
        connection.Seats = seats;
    }

    private void Unsubscribe(Connection connection)
    {
        if (connection.Seats is not { } seats)
            return;
        connection.Seats = null;
        var topics = connection.Topics.Count;
        for (var i = 0; i < connection.Patterns.Count; i++)
            _patterns.RemoveAt(connection.Patterns[i], seats[topics + i]);
        for (var i = 0; i < topics; i++)
        {
            var set = _topics[connection.Topics[i]];
            set.RemoveAt(seats[i]);
            if (set.Count == 0)
                _topics.Remove(connection.Topics[i]);
        }
    }

    /// <param name="Events">To deliver; or null.</param>
    /// <param name="Connection">Who joins (kept null), leaves (keeps nothing) or keeps only these topics and patterns.</param>
    /// <param name="Remaining">See the connection.</param>
    /// <param name="Settled">Told at the end of the round; or null.</param>
    /// <param name="GapThrough">Up to where events are missing that will not come; or null.</param>
    /// <param name="Span">Of the events; null where nobody traces.</param>
    private readonly record struct Work(
        IReadOnlyList<Event>? Events,
        Connection? Connection,
        RemainingTopics? Remaining,
        TaskCompletionSource? Settled = null,
        long? GapThrough = null,
        DeliverySpan? Span = null
    );

    private sealed record RemainingTopics(IReadOnlyList<TopicName> Topics, IReadOnlyList<TopicPattern> Patterns)
    {
        public static readonly RemainingTopics Nothing = new([], []);
    }
}
