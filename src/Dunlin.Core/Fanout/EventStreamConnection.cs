using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>
/// One open event-stream response. It is, in turn:
/// <code>
/// opening -> catching up -> live -> lagging -> catching up ...        any -> closed
/// </code>
/// <list type="bullet">
/// <item><b>Catching up</b>: reads the journal from its position, page by page, at the speed of the peer.</item>
/// <item><b>Live</b>: a member of its shard's subscriber sets; the shard writes straight into the sink while nobody else does,
/// and queues (bounded) while an earlier write is still being accepted.</item>
/// <item><b>Lagging</b>: the queue was full; the shard has let go of it, and it catches up once the queue is written.</item>
/// </list>
/// Invariant: every event of its topics that it may see, with an offset up to <see cref="LastSentOffset"/>, has been written or
/// queued exactly once, in order, or, where it conflates, a later one of the same topic and type. Exactly one party owns the sink
/// at any time (<c>_writing</c>). Nothing is allocated for a connection while it is idle: no task, channel or timer.
/// </summary>
public sealed partial class EventStreamConnection : WheelEntry
{
    private readonly Lock _gate = new(); // guards _writing, _pending*, _controlBytes, _end, _farewell, _lagging
    private readonly EventFanout _fanout;
    private readonly TimeSpan _heartbeat;
    private readonly Func<DateTimeOffset, ReadOnlyMemory<byte>> _heartbeatFrame;
    private IFrameSink _sink;
    private readonly TaskCompletionSource<ConnectionEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Extras? _extras; // null for most: one reference is all that extras cost those without
    private long _through;

    internal EventStreamConnection(EventFanout fanout, ConnectionRequest request, string id, FanoutShard shard, DateTimeOffset openedAt)
    {
        _fanout = fanout;
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
        _extras = request.Patterns.Count > 0 || request.Conflates ? new Extras(request.Patterns, request.Conflates) : null;
        Caller = request.Caller with { ConnectionId = id };
        _progressTick = fanout.Wheel.Tick;
    }

    /// <summary>Unique for ever; never the id of a user, a session or a device.</summary>
    public string Id { get; }

    /// <summary>Who reads, with <see cref="Caller.ConnectionId"/> set to <see cref="Id"/>.</summary>
    public Caller Caller { get; }

    /// <summary>The topics still subscribed to.</summary>
    public IReadOnlyList<TopicName> Topics { get; private set; }

    /// <summary>The patterns still subscribed to.</summary>
    public IReadOnlyList<TopicPattern> Patterns => _extras?.Patterns ?? [];

    /// <summary>Whether it is sent of each topic and type the last event only, whenever it is behind.</summary>
    public bool Conflates => _extras?.Conflates == true;

    /// <summary>The topics that it was opened with.</summary>
    public IReadOnlyList<TopicName> OpenedTopics { get; }

    /// <summary>Whether it takes part in presence.</summary>
    public bool IsPresent { get; }

    /// <summary>When it was opened.</summary>
    public DateTimeOffset OpenedAt { get; }

    /// <summary>The remote address, if known.</summary>
    public string? RemoteAddress { get; }

    /// <summary>Completes when the connection is closed and its sink is not touched any more.</summary>
    public Task<ConnectionEnd> Completion => _completion.Task;

    /// <summary>The offset up to which everything has been written or queued.</summary>
    public long LastSentOffset => Volatile.Read(ref _through);

    internal FanoutShard Shard { get; }

    internal IWireFormat Format { get; }

    internal OriginExclusion Exclusion { get; }

    /// <summary>
    /// Where this connection stands in the subscriber set of each of its topics, then of each of its patterns; owned by the shard.
    /// </summary>
    internal int[]? Seats { get; set; }

    internal void SkipTo(long offset) => Volatile.Write(ref _through, offset);

    internal bool LeavesOut(DunlinEvent entry) => Exclusion != OriginExclusion.None && Exclusion.Excludes(entry.Origin, Id, Caller);

    internal bool Wants(DunlinEvent entry)
    {
        foreach (var topic in Topics)
        {
            if (topic == entry.Topic)
                return !LeavesOut(entry);
        }
        return Patterns.AnyCovers(entry.Topic) && !LeavesOut(entry);
    }

    /// <summary>Whether this is the first time that a delivery comes to it: several of what it subscribes to may mean one topic. From the
    /// shard only.</summary>
    internal bool IsFirstOf(long delivery)
    {
        if (_extras is null)
            return true;
        if (_extras.LastDelivery == delivery)
            return false;
        _extras.LastDelivery = delivery;
        return true;
    }

    /// <summary>Leaves it with these topics and patterns. From the shard only.</summary>
    internal void Keep(IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns)
    {
        Topics = topics;
        if (_extras is not null)
            _extras.Patterns = patterns;
    }

    /// <summary>Heartbeat when idle, expiry of the credential, and a peer that accepts nothing.</summary>
    protected internal override void OnDue()
    {
        var heartbeat = false;
        var stuck = false;
        lock (_gate)
        {
            if (_completion.Task.IsCompleted)
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
            // Once more if that met a sink that has just handed over to another.
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
        if (Caller.ExpiresAt is { } expiry && expiry - _fanout.Time.GetUtcNow() < delay && _end is null)
            delay = expiry - _fanout.Time.GetUtcNow();
        _fanout.Wheel.Schedule(this, delay);
        if (_completion.Task.IsCompleted)
            _fanout.Wheel.Cancel(this);
    }

    /// <summary>What only few connections have.</summary>
    private sealed class Extras(IReadOnlyList<TopicPattern> patterns, bool conflates)
    {
        public bool Conflates { get; } = conflates;

        public IReadOnlyList<TopicPattern> Patterns { get; set; } = patterns;

        public long LastDelivery { get; set; }
    }
}
