using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>An open event-stream response. Thread-safe, except for members that the shard alone may call.</summary>
/// <remarks>
/// The states of a connection:
/// <code>
/// opening -> catching up -> live -> lagging -> catching up ... any -> closed
/// </code>
/// <list type="bullet">
/// <item><b>Catching up</b>: the connection reads the journal page by page after its position, at the speed of the peer.</item>
/// <item><b>Live</b>: the connection is in its shard's subscriber sets. The shard writes to the sink while it is free, and queues frames
/// (bounded) while an earlier write is in progress.</item>
/// <item><b>Lagging</b>: the queue was full. The shard has unsubscribed the connection, which catches up once its queue is written.</item>
/// </list>
/// Invariant: every readable event of its topics with an offset up to <see cref="LastSentOffset"/> has been written or queued exactly once,
/// in order. If the connection conflates, a later event of the same topic and type may replace it. Exactly one party owns the sink at any
/// time (<c>_writing</c>). An idle connection holds no task, channel or timer.
/// </remarks>
public sealed partial class EventStreamConnection
{
    private readonly Lock _gate = new(); // guards _writing, _pending*, _controlBytes, _end, _farewell, _lagging
    private readonly EventFanout _fanout;
    private readonly TimeSpan _heartbeat;
    private readonly Func<DateTimeOffset, ReadOnlyMemory<byte>> _heartbeatFrame;
    private IFrameSink _sink;
    private readonly TaskCompletionSource<ConnectionEnd> _completion = new(Background.Continuations);
    private readonly Timer _timer;
    private readonly Extras? _extras; // null for most connections, which then pay for one reference only
    private long _through;
    private readonly long _expiry; // UTC ticks of Caller.ExpiresAt: each delivery reads it
    private long _lastDelivery; // owned by the shard
    private bool _isFinished;

    internal EventStreamConnection(EventFanout fanout, ConnectionRequest request, string id, FanoutShard shard, DateTimeOffset openedAt)
    {
        _fanout = fanout;
        _timer = new Timer(this);
        _sink = request.Sink;
        _heartbeat = request.Heartbeat;
        _heartbeatFrame = request.HeartbeatFrame;
        _writing = true; // the opening owns the sink
        Format = request.Format;
        Exclusion = request.Exclusion;
        OpenedTopics = request.Topics;
        IsPresent = request.IsPresent;
        RemoteAddress = request.RemoteAddress;
        Id = id;
        Shard = shard;
        OpenedAt = openedAt;
        Topics = request.Topics;
        _extras =
            request.Patterns.Count > 0
            || request.Selectors.Count > 0
            || request.MayRead is not null
            || request.Conflates
            || !request.SendsControlFrames
                ? new Extras(request)
                : null;
        Caller = request.Caller with { ConnectionId = id };
        _expiry = Caller.ExpiresAt?.UtcTicks ?? long.MaxValue;
        _progressTick = fanout.Wheel.Tick;
    }

    /// <summary>Gets the unique id of the connection. Never equals the id of a user, session or device.</summary>
    public string Id { get; }

    /// <summary>Gets the caller, with <see cref="Caller.ConnectionId"/> set to <see cref="Id"/>.</summary>
    public Caller Caller { get; }

    /// <summary>Gets the topics that are still subscribed to.</summary>
    public IReadOnlyList<TopicName> Topics { get; private set; }

    /// <summary>Gets the patterns that are still subscribed to.</summary>
    public IReadOnlyList<TopicPattern> Patterns => _extras?.Patterns ?? [];

    /// <summary>Gets the selectors of the connection.</summary>
    internal IReadOnlyList<TopicSelector> Selectors => _extras?.Selectors ?? [];

    /// <summary>
    /// Gets whether the protocol of the connection decides which text topics it receives, so that the access policies are not asked.
    /// </summary>
    internal bool HasOwnChecks => _extras is { MayRead: not null } or { Selectors.Count: > 0 };

    /// <summary>Gets whether the connection receives only the last event of each topic and type while it is behind.</summary>
    public bool Conflates => _extras?.Conflates == true;

    /// <summary>Gets whether the stream carries control frames.</summary>
    internal bool SendsControlFrames => _extras?.SendsControlFrames != false;

    /// <summary>Gets the topics with which the connection was opened.</summary>
    public IReadOnlyList<TopicName> OpenedTopics { get; }

    /// <summary>Gets whether presence lists the connection.</summary>
    public bool IsPresent { get; }

    /// <summary>Gets or sets the index in the fan-out's list of this user's connections. Guarded by the lock of that list.</summary>
    internal int UserIndex { get; set; }

    /// <summary>Gets the time of opening (UTC).</summary>
    public DateTimeOffset OpenedAt { get; }

    /// <summary>Gets the remote address; null if unknown.</summary>
    public string? RemoteAddress { get; }

    /// <summary>Gets a task that completes when the connection is closed and no longer uses its sink. It never fails.</summary>
    internal Task<ConnectionEnd> Completion => _completion.Task;

    /// <summary>Gets the offset up to which all events have been written or queued.</summary>
    public long LastSentOffset => Volatile.Read(ref _through);

    /// <summary>Gets the current state. A snapshot for display: it may have changed when the caller reads it.</summary>
    public EventStreamState State
    {
        get
        {
            lock (_gate)
            {
                return _end is not null ? EventStreamState.Closing
                    : _lagging ? EventStreamState.Lagging
                    : Seats is not null ? EventStreamState.Live
                    : EventStreamState.CatchingUp;
            }
        }
    }

    /// <summary>Gets the bytes of frames that wait in memory for the peer.</summary>
    public int PendingBytes
    {
        get
        {
            lock (_gate)
                return _pendingBytes + _controlBytes;
        }
    }

    /// <summary>Gets whether the connection has been closed. Its last frames may still be on their way.</summary>
    internal bool HasEnded => _end is not null;

    internal FanoutShard Shard { get; }

    internal IWireFormat Format { get; }

    internal OriginExclusion Exclusion { get; }

    /// <summary>
    /// Gets or sets the indexes of this connection in the subscriber sets of its topics, then of its patterns. Null while not subscribed.
    /// Owned by the shard.
    /// </summary>
    internal int[]? Seats { get; set; }

    internal void SkipTo(long offset) => Volatile.Write(ref _through, offset);

    internal bool LeavesOut(DunlinEvent entry) =>
        (entry.Extra is { IsRestricted: true } && _extras?.MayRead?.Invoke(entry) != true)
        || (Exclusion != OriginExclusion.None && Exclusion.Excludes(entry.Origin, Id, Caller));

    internal bool Wants(DunlinEvent entry)
    {
        if (!IsOn(entry.Topic) && !IsOnFurther(entry) && !Selectors.AnySelects(entry))
            return false;
        return !LeavesOut(entry);
    }

    /// <summary>
    /// Returns whether the credential has expired, and closes the connection if it has. Asked before each event, because a busy thread pool
    /// may delay the timer.
    /// </summary>
    /// <param name="now">The time in UTC ticks.</param>
    internal bool EndsAt(long now)
    {
        if (now < _expiry)
            return false;
        Close(ConnectionEnd.TokenExpired);
        return true;
    }

    /// <summary>Closes the connection if its stream ends after an event, which was written or queued.</summary>
    internal void EndAfter(DunlinEvent entry)
    {
        if (Format is IEndingFormat format && format.EndsAfter(entry))
            Close(ConnectionEnd.Completed);
    }

    private bool IsOn(TopicName name)
    {
        var topics = Topics;
        for (var i = 0; i < topics.Count; i++)
        {
            if (topics[i] == name)
                return true;
        }
        return Patterns.AnyCovers(name);
    }

    private bool IsOnFurther(DunlinEvent entry)
    {
        if (entry.Extra is not { } extra)
            return false;
        for (var i = 0; i < extra.AlsoOn.Count; i++)
        {
            if (IsOn(extra.AlsoOn[i]))
                return true;
        }
        return false;
    }

    /// <summary>
    /// Returns whether a delivery reaches this connection for the first time. Several topics, patterns and selectors of it may match the
    /// same event. Call from the shard only.
    /// </summary>
    internal bool IsFirstOf(long delivery)
    {
        if (_lastDelivery == delivery)
            return false;
        _lastDelivery = delivery;
        return true;
    }

    /// <summary>Returns whether the connection has a selector, or a topic or pattern that is not among those.</summary>
    internal bool KeepsAny(IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns) =>
        Selectors.Count > 0 || Topics.Except(topics).Any() || Patterns.Except(patterns).Any();

    /// <summary>Removes topics and patterns from the connection. Call from the shard only.</summary>
    internal void Remove(IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns)
    {
        Topics = [.. Topics.Except(topics)];
        if (_extras is not null)
            _extras.Patterns = [.. _extras.Patterns.Except(patterns)];
    }

    /// <summary>
    /// Sends a heartbeat if idle, closes the connection if its credential has expired, and aborts it if the peer accepts nothing.
    /// </summary>
    private void OnTimer()
    {
        var heartbeat = false;
        var stuck = false;
        lock (_gate)
        {
            if (Volatile.Read(ref _isFinished))
                return;
            var idle = (_fanout.Wheel.Tick - _progressTick) * TimerWheel.Slot;
            if (_writing)
                stuck = idle >= (_end is null ? _fanout.Options.WriteTimeout : FarewellTimeout);
            else if (_heartbeat > TimeSpan.Zero && idle >= _heartbeat)
                heartbeat = _writing = true;
        }
        if (stuck)
        {
            Close(ConnectionEnd.Gone);
            _sink.Abort();
            // Repeat, in case the aborted sink has just been replaced by another.
            ScheduleNext();
            return;
        }
        if (heartbeat)
        {
            _sink.Write(_heartbeatFrame(_fanout.Time.GetUtcNow()));
            FlushAndRelease();
        }
        if (Caller.ExpiresAt <= _fanout.Time.GetUtcNow())
            Close(ConnectionEnd.TokenExpired);
        ScheduleNext();
    }

    private void ScheduleNext()
    {
        var delay = _fanout.Options.WriteTimeout;
        lock (_gate)
        {
            if (_end is not null)
                delay = FarewellTimeout;
            else if (_heartbeat > TimeSpan.Zero)
                delay = _heartbeat - (_writing ? TimeSpan.Zero : (_fanout.Wheel.Tick - _progressTick) * TimerWheel.Slot);
        }
        if (Caller.ExpiresAt is { } expiry && _end is null && expiry - _fanout.Time.GetUtcNow() is var rest && rest < delay)
            _fanout.Wheel.ScheduleExact(_timer, rest);
        else
            _fanout.Wheel.Schedule(_timer, delay);
        if (Volatile.Read(ref _isFinished))
            _fanout.Wheel.Cancel(_timer);
    }

    /// <summary>The fields that only few connections need.</summary>
    private sealed class Extras(ConnectionRequest request)
    {
        public bool Conflates { get; } = request.Conflates;

        public bool SendsControlFrames { get; } = request.SendsControlFrames;

        public IReadOnlyList<TopicPattern> Patterns { get; set; } = request.Patterns;

        public IReadOnlyList<TopicSelector> Selectors { get; } = request.Selectors;

        public Func<DunlinEvent, bool>? MayRead { get; } = request.MayRead;
    }

    // Nested, so that the public type does not expose the wheel.
    private sealed class Timer(EventStreamConnection connection) : WheelEntry
    {
        protected internal override void OnDue() => connection.OnTimer();
    }
}
