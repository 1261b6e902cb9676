using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>Delivers events to its share of the connections. The public methods are thread-safe.</summary>
/// <remarks>
/// All work (events, and connections that join, leave or lose topics) goes through one inbox and runs on one thread at a time, in order.
/// The subscriber sets therefore need no lock, and joining cannot race with delivery. A round takes the whole inbox: a connection that
/// receives many events in one round is flushed once.
/// </remarks>
internal sealed partial class FanoutShard(EventFanout fanout) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new(); // guards _inbox, _scheduled and _load
    private readonly Dictionary<TopicName, SubscriberSet> _topics = [];
    private readonly PatternIndex _patterns = new();
    private readonly SelectorIndex _selectors = new();
    private readonly List<EventStreamConnection> _round = [];
    private readonly List<EventStreamConnection> _overflowed = [];
    private List<Work> _inbox = [];
    private List<Work> _taken = [];
    private bool _scheduled;
    private bool _isOneEvent;
    private long _reached;
    private long _delivery; // counts the events that several sets may receive, including transient ones
    private long _now; // UTC ticks, read for each event that has subscribers

    /// <summary>Sets the offset after which delivery begins. Call before any other method.</summary>
    public void Begin(long offset) => _reached = offset;

    /// <param name="events">The events.</param>
    /// <param name="at">The timestamp of their commit.</param>
    /// <param name="span">The span of the delivery; null if tracing is off.</param>
    public void Deliver(IReadOnlyList<DunlinEvent> events, long at, DeliverySpan? span) =>
        Post(new Work(events, null, null, Span: span), events.Count, at);

    public void Join(EventStreamConnection connection) => Post(new Work(null, connection, null));

    public void Leave(EventStreamConnection connection) => Post(new Work(null, connection, LostTopics.All));

    /// <summary>Removes topics and patterns from a connection. Closes it if nothing remains.</summary>
    /// <remarks>
    /// The caller names what is lost and not what remains: checks of the same connection may overlap, and the one that ends last may have
    /// read the older rights.
    /// </remarks>
    public void Narrow(EventStreamConnection connection, IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns) =>
        Post(new Work(null, connection, new LostTopics(topics, patterns)));

    /// <summary>
    /// Skips events that this node can no longer read: every live connection reads the journal again from its own position.
    /// </summary>
    /// <param name="reached">The offset up to which events count as delivered.</param>
    public void SkipGap(long reached) => Post(new Work(null, null, null, GapThrough: reached));

    /// <summary>Completes when all work posted so far is done and flushed. A barrier for tests.</summary>
    public Task SettledAsync()
    {
        var settled = new TaskCompletionSource(Background.Continuations);
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
                _load.BeginRound();
            }
            _isOneEvent = _taken is [{ Events.Count: 1 }];
            (_flushed, _opensAt) = (0, 0);
            foreach (var work in _taken)
                Do(work);
            ExpectFlushes(_flushed + _round.Count);
            foreach (var connection in _round)
                Flush(connection);
            EndRound();
            foreach (var work in _taken)
                work.Settled?.TrySetResult();
            _taken.Clear();
            _round.Clear();
        }
    }

    private void Post(Work work, int events = 0, long at = 0)
    {
        lock (_gate)
        {
            _inbox.Add(work);
            if (events > 0)
                _load.Post(events, at);
            if (_scheduled)
                return;
            _scheduled = true;
        }
        Background.Queue(this);
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
        else if (work.Lost is { } lost)
        {
            // Do not subscribe during catch-up: live events would overtake the backlog.
            var wasSeated = work.Connection!.Seats is not null;
            Unsubscribe(work.Connection);
            if (ReferenceEquals(lost, LostTopics.All))
                return;
            work.Connection.Remove(lost.Topics, lost.Patterns);
            if (!work.Connection.KeepsAny([], []))
                work.Connection.Close(ConnectionEnd.Revoked);
            else if (wasSeated)
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
                    .Concat(_selectors.Sets)
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

    private int Deliver(DunlinEvent entry)
    {
        var offset = entry.Position.Offset;
        if (offset != 0)
            _reached = offset;
        if (entry.Extra is { AlsoOn.Count: > 0 } || _selectors.Count > 0)
            return DeliverToAny(entry);
        _topics.TryGetValue(entry.Topic, out var set);
        var matching = _patterns.Matching(entry.Topic);
        if (set is null && matching.Length == 0)
            return 0;
        if (matching.Length > 0)
            _delivery++;
        _now = fanout.Time.GetUtcNow().UtcTicks;
        var written = set is null ? 0 : DeliverTo(set, entry, mayRepeat: matching.Length > 0);
        foreach (var other in matching)
            written += DeliverTo(other, entry, mayRepeat: true);
        EndEvent(written);
        return written;
    }

    /// <summary>Delivers an event that several sets may receive: of each of its topics, and of the selectors that select one.</summary>
    private int DeliverToAny(DunlinEvent entry)
    {
        _delivery++;
        _now = fanout.Time.GetUtcNow().UtcTicks;
        var written = DeliverOn(entry, entry.Topic);
        for (var i = 0; i < entry.AlsoOn.Count; i++)
            written += DeliverOn(entry, entry.AlsoOn[i]);
        foreach (var set in _selectors.Selecting(entry))
            written += DeliverTo(set, entry, mayRepeat: true);
        EndEvent(written);
        return written;
    }

    private int DeliverOn(DunlinEvent entry, TopicName topic)
    {
        var written = _topics.TryGetValue(topic, out var set) ? DeliverTo(set, entry, mayRepeat: true) : 0;
        foreach (var other in _patterns.Matching(topic))
            written += DeliverTo(other, entry, mayRepeat: true);
        return written;
    }

    private void EndEvent(int written)
    {
        fanout.Instruments.Delivered.Add(written);
        // Before the next event: it must not overtake the refused one.
        foreach (var connection in _overflowed)
            Unsubscribe(connection);
        _overflowed.Clear();
    }

    /// <param name="set">The subscribers.</param>
    /// <param name="entry">The event.</param>
    /// <param name="mayRepeat">
    /// Whether a connection may also be in another set that receives the event. <see cref="EventStreamConnection.LastSentOffset"/> does not
    /// detect this: transient events and events refused by a full queue do not advance it.
    /// </param>
    private int DeliverTo(SubscriberSet set, DunlinEvent entry, bool mayRepeat)
    {
        var offset = entry.Position.Offset;
        if (_isOneEvent)
            ExpectFlushes(_flushed + set.Count);
        IWireFormat? format = null;
        ReadOnlyMemory<byte> frame = default;
        var written = 0;
        foreach (ref readonly var seat in set.Seats)
        {
            var connection = seat.Connection;
            if ((offset != 0 && offset <= connection.LastSentOffset) || connection.LeavesOut(entry) || connection.EndsAt(_now))
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
            if (format is IEndingFormat)
                connection.EndAfter(entry);
        }
        return written;
    }

    private void Stage(EventStreamConnection connection, ReadOnlyMemory<byte> frame, long offset)
    {
        switch (connection.Stage(frame, offset))
        {
            case StageResult.Joined when _isOneEvent:
                // The round has no more events: flush while the connection's data is still in the processor cache.
                Flush(connection);
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

    /// <summary>
    /// Moves a connection from catch-up to live delivery in one step of this loop; see the catch-up part of
    /// <see cref="EventStreamConnection"/>.
    /// </summary>
    private void GoLive(EventStreamConnection connection)
    {
        connection.HandOverToRound();
        _round.Add(connection);
        _now = fanout.Time.GetUtcNow().UtcTicks;
        for (var offset = connection.LastSentOffset + 1; offset <= _reached; offset++)
        {
            if (fanout.Tail.Find(offset) is not { } entry)
            {
                connection.FallBackToJournal(); // the tail no longer holds the event: read the journal again
                return;
            }
            // An ended connection refuses events. Skipping later ones would move its position past them.
            if (connection.EndsAt(_now) || connection.HasEnded)
                return;
            if (connection.Wants(entry) && entry.FrameFor(connection.Format, fanout.FormatFailed) is { IsEmpty: false } frame)
            {
                Stage(connection, frame, offset);
                fanout.Instruments.Delivered.Add(1);
            }
            else
            {
                connection.SkipTo(offset);
            }
            connection.EndAfter(entry);
            if (_overflowed.Remove(connection))
                return; // stay unsubscribed: the connection catches up again once its queue is written
        }
        Subscribe(connection);
    }

    private void Subscribe(EventStreamConnection connection)
    {
        if (connection.Seats is not null || connection.Completion.IsCompleted)
            return;
        var (topics, patterns, selectors) = (connection.Topics.Count, connection.Patterns, connection.Selectors);
        var seats = new int[topics + patterns.Count + selectors.Count];
        for (var i = 0; i < topics; i++)
        {
            if (!_topics.TryGetValue(connection.Topics[i], out var set))
                _topics.Add(connection.Topics[i], set = new SubscriberSet());
            seats[i] = set.Add(connection, i);
        }
        for (var i = 0; i < patterns.Count; i++)
            seats[topics + i] = _patterns.GetOrAdd(patterns[i]).Add(connection, topics + i);
        for (int i = 0, seat = topics + patterns.Count; i < selectors.Count; i++, seat++)
            seats[seat] = _selectors.GetOrAdd(selectors[i]).Add(connection, seat);
        connection.Seats = seats;
    }

    private void Unsubscribe(EventStreamConnection connection)
    {
        if (connection.Seats is not { } seats)
            return;
        connection.Seats = null;
        var topics = connection.Topics.Count;
        for (var i = 0; i < connection.Patterns.Count; i++)
            _patterns.RemoveAt(connection.Patterns[i], seats[topics + i]);
        for (int i = 0, seat = topics + connection.Patterns.Count; i < connection.Selectors.Count; i++, seat++)
            _selectors.RemoveAt(connection.Selectors[i], seats[seat]);
        for (var i = 0; i < topics; i++)
        {
            var set = _topics[connection.Topics[i]];
            set.RemoveAt(seats[i]);
            if (set.Count == 0)
                _topics.Remove(connection.Topics[i]);
        }
    }

    /// <param name="Events">The events to deliver; or null.</param>
    /// <param name="Connection">The connection that joins (<c>Kept</c> is null), leaves (<c>Kept</c> is empty) or keeps some topics and
    /// patterns; or null.</param>
    /// <param name="Lost">The topics and patterns that the connection loses; or null.</param>
    /// <param name="Settled">Completed at the end of the round; or null.</param>
    /// <param name="GapThrough">The offset up to which events are lost; or null.</param>
    /// <param name="Span">The span of the delivery; null if tracing is off.</param>
    private readonly record struct Work(
        IReadOnlyList<DunlinEvent>? Events,
        EventStreamConnection? Connection,
        LostTopics? Lost,
        TaskCompletionSource? Settled = null,
        long? GapThrough = null,
        DeliverySpan? Span = null
    );

    private sealed record LostTopics(IReadOnlyList<TopicName> Topics, IReadOnlyList<TopicPattern> Patterns)
    {
        public static readonly LostTopics All = new([], []);
    }
}
