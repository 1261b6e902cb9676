using System.Diagnostics;
using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Fanout;

/// <summary>Delivers committed events to every local connection that may read them. Thread-safe.</summary>
/// <remarks>
/// Events arrive from the local store and, as commit notifications, from other nodes, in any order. They are delivered in offset order
/// without gaps: the fan-out first reads missing events from the journal.
/// </remarks>
public sealed partial class EventFanout : IBackplaneNode
{
    private readonly Lock _intake = new(); // guards _topics, _target, _filling, _hasBegun, and the order of Accept
    private readonly IJournal _journal;
    private readonly IBackplane _backplane;
    private readonly ILogger _logger;
    private readonly FanoutShard[] _shards;
    private readonly CatchUpPages _pages;
    private readonly CommitsAhead _ahead = new(); // guarded by _intake
    private readonly TracedCommits _commits = new(); // guarded by _intake
    private readonly Signal<IReadOnlyList<DunlinEvent>> _accepted;
    private Dictionary<TopicName, Signal<DunlinEvent>> _topics = []; // immutable; replaced under _intake
    private long _reached;
    private long _target;
    private bool _filling;
    private bool _hasBegun;
    private int _nextShard;

    /// <summary>Creates the fan-out. For the service container.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="feed">The commits of the local store.</param>
    /// <param name="backplane">The backplane to the other nodes.</param>
    /// <param name="wheel">The timer wheel for heartbeats and timeouts.</param>
    /// <param name="time">The time provider.</param>
    /// <param name="options">The options.</param>
    /// <param name="instruments">The metrics.</param>
    /// <param name="logger">The logger.</param>
    internal EventFanout(
        IJournal journal,
        CommitFeed feed,
        IBackplane backplane,
        TimerWheel wheel,
        TimeProvider time,
        IOptions<FanoutOptions> options,
        FanoutInstruments instruments,
        ILogger<EventFanout> logger
    )
    {
        _journal = journal;
        _backplane = backplane;
        _logger = logger;
        Wheel = wheel;
        Time = time;
        Options = options.Value;
        Instruments = instruments;
        FormatFailed = (entry, format, error) => LogFormatFailed(_logger, error, entry.Type, entry.Topic.Value, format.GetType().Name);
        Tail = new EventTail(Options.TailEvents, Options.TailBytes);
        _pages = new CatchUpPages(journal, Options.CatchUpBytes);
        var shards = Options.Shards > 0 ? Options.Shards : Math.Min(Environment.ProcessorCount, 8);
        _shards = [.. Enumerable.Range(0, shards).Select(_ => new FanoutShard(this))];
        Flow = new FlowControl(Options, _shards, time, instruments);
        Opened = new("opened connections", logger);
        Closed = new("closed connections", logger);
        _accepted = new("accepted events", logger);
        feed.Committed.Subscribe(OnCommitted);
        feed.HeadMoved.Subscribe(OnReached);
        feed.Traced.Subscribe(traced => OnTraced(traced.Through, traced.Commit));
        backplane.Attach(this);
    }

    /// <summary>Gets the position up to which this node has handed all events to its connections.</summary>
    public Position DeliveredHead => _journal.Head with { Offset = Volatile.Read(ref _reached) };

    internal TimerWheel Wheel { get; }

    internal TimeProvider Time { get; }

    internal FanoutOptions Options { get; }

    internal FanoutInstruments Instruments { get; }

    internal FlowControl Flow { get; }

    internal EventTail Tail { get; }

    /// <summary>
    /// Gets the callback for events that a wire format failed to encode. Allocated once, because every delivery passes it.
    /// </summary>
    internal Action<DunlinEvent, IWireFormat, Exception> FormatFailed { get; }

    /// <summary>Returns the signal with every event of a topic: committed by any node, or transient.</summary>
    /// <remarks>Published in order, before delivery to the connections. Handlers must not call the fan-out.</remarks>
    internal Signal<DunlinEvent> EventsOf(TopicName topic)
    {
        lock (_intake)
        {
            if (!_topics.TryGetValue(topic, out var events))
                Volatile.Write(ref _topics, new(_topics) { [topic] = events = new Signal<DunlinEvent>(topic.Value, _logger) });
            return events;
        }
    }

    /// <summary>Adds a handler for all events that this node delivers: committed by any node, or transient. For display and measurement.
    /// Without a handler it costs nothing for each event.</summary>
    /// <param name="handler">The handler, called with the events in order, before their delivery. Must be thread-safe and fast. It must not
    /// block or call the fan-out. An exception is logged.</param>
    /// <returns>A subscription; dispose it to remove the handler.</returns>
    public IDisposable OnAccepted(Action<IReadOnlyList<DunlinEvent>> handler) => _accepted.Subscribe(handler);

    /// <summary>Starts delivery at the head of the journal. Call once, after the store is open and before the first connection.</summary>
    internal void Begin()
    {
        lock (_intake)
        {
            _reached = _target = _journal.Head.Offset;
            _hasBegun = true;
            foreach (var shard in _shards)
                shard.Begin(_reached);
        }
    }

    /// <summary>
    /// Delivers a transient event to the connections of this node and, best effort, of other nodes. It is not stored, has no id and is
    /// never replayed.
    /// </summary>
    /// <param name="draft">The event.</param>
    public void PublishTransient(EventDraft draft)
    {
        var entry = DunlinEvent.Transient(draft, Time.GetUtcNow());
        OnTransient(entry);
        _backplane.Transient(this, entry);
    }

    void IBackplaneNode.OnTransient(DunlinEvent entry) => OnTransient(entry);

    /// <inheritdoc cref="IBackplaneNode.OnTransient"/>
    internal void OnTransient(DunlinEvent entry)
    {
        DunlinEvent[] one = [entry];
        Tell(one);
        var at = Time.GetTimestamp();
        foreach (var shard in _shards)
            shard.Deliver(one, at, span: null);
    }

    void IBackplaneNode.OnTraced(Position through, ActivityContext commit) => OnTraced(through, commit);

    /// <inheritdoc cref="IBackplaneNode.OnTraced"/>
    internal void OnTraced(Position through, ActivityContext commit)
    {
        if (!DunlinActivities.Source.HasListeners() || through.Epoch != _journal.Head.Epoch)
            return;
        lock (_intake)
        {
            if (through.Offset > _reached)
                _commits.Add(through.Offset, commit);
        }
    }

    void IBackplaneNode.OnReached(Position position) => OnReached(position);

    /// <inheritdoc cref="IBackplaneNode.OnReached"/>
    internal void OnReached(Position position)
    {
        lock (_intake)
        {
            // Before Begin there is nothing to deliver: Begin starts at the head of that time.
            if (_hasBegun && position.Epoch == _journal.Head.Epoch)
                ReachFor(position.Offset);
        }
    }

    void IBackplaneNode.OnCommitNotification(IReadOnlyList<DunlinEvent> committed) => OnCommitNotification(committed);

    /// <inheritdoc cref="IBackplaneNode.OnCommitNotification"/>
    internal void OnCommitNotification(IReadOnlyList<DunlinEvent> committed)
    {
        // Ignore other epochs: their offsets are not comparable.
        if (committed.Count == 0 || committed[0].Position.Epoch != _journal.Head.Epoch)
            return;
        lock (_intake)
        {
            if (committed[0].Position.Offset <= _reached + 1)
            {
                AcceptNew(committed);
                return;
            }
            _ahead.Add(committed);
            ReachFor(committed[^1].Position.Offset);
        }
    }

    /// <summary>
    /// Returns the page after <paramref name="after"/>: from the tail in memory if it holds it, otherwise from the journal.
    /// </summary>
    internal ValueTask<JournalPage> ReadAsync(
        IReadOnlyList<TopicName> topics,
        IReadOnlyList<TopicPattern> patterns,
        IReadOnlyList<TopicSelector> selectors,
        long after
    )
    {
        var reached = Volatile.Read(ref _reached);
        if (after >= reached && after >= _journal.Head.Offset)
            return new(new JournalPage([], after, HasMore: false, Trimmed: false));
        return Tail.Find(after + 1) is not null && TryReadTail(new EventFilter(topics, patterns, selectors), after, reached) is { } page
            ? new(page)
            : _pages.ReadAsync(topics, patterns, selectors, after);
    }

    internal TimeSpan ReconnectDelay(ConnectionEnd end) =>
        end switch
        {
            // Random delay: the readers of a closed node must not all reconnect to the next one at the same instant.
            ConnectionEnd.Draining => TimeSpan.FromMilliseconds(Background.Random.Next(500, 5_000)),
            ConnectionEnd.Failed => TimeSpan.FromMilliseconds(Background.Random.Next(1_000, 10_000)),
            _ => TimeSpan.FromMilliseconds(Background.Random.Next(100, 1_000)),
        };

    private void OnCommitted(IReadOnlyList<DunlinEvent> events)
    {
        if (DunlinActivities.CurrentCommit is { } commit)
            OnTraced(events[^1].Position, commit);
        OnCommitNotification(events);
        _backplane.Notify(this, events);
    }

    /// <summary>Completes when the events handed to the shards so far are delivered or queued.</summary>
    internal Task SettledAsync() => Task.WhenAll(_shards.Select(shard => shard.SettledAsync()));

    // Requires _intake.
    private void Accept(IReadOnlyList<DunlinEvent> events)
    {
        for (var i = 0; i < events.Count; i++)
            Tail.Add(events[i]);
        Tell(events);
        Volatile.Write(ref _reached, events[^1].Position.Offset);
        var span = DunlinActivities.Source.HasListeners()
            ? DeliverySpan.Start(events.Count, _commits.Take(events[^1].Position.Offset), _shards.Length)
            : null;
        var at = Time.GetTimestamp();
        foreach (var shard in _shards)
            shard.Deliver(events, at, span);
    }

    // Requires _intake. Skips delivered events, then accepts buffered events that now follow without a gap.
    private void AcceptNew(IReadOnlyList<DunlinEvent> events)
    {
        if (CommitsAhead.After(events, _reached) is { Count: > 0 } rest)
            Accept(rest);
        while (_ahead.Take(_reached) is { } next)
            Accept(next);
    }

    private void Tell(IReadOnlyList<DunlinEvent> events)
    {
        _accepted.Publish(events);
        var topics = Volatile.Read(ref _topics);
        if (topics.Count == 0)
            return;
        for (var i = 0; i < events.Count; i++)
        {
            if (topics.TryGetValue(events[i].Topic, out var topic))
                topic.Publish(events[i]);
            if (events[i].Extra is { AlsoOn.Count: > 0 })
                TellFurther(topics, events[i]);
        }
    }

    // A method of its own: its closure would cost an allocation for every event.
    private static void TellFurther(Dictionary<TopicName, Signal<DunlinEvent>> topics, DunlinEvent entry)
    {
        foreach (var name in entry.AlsoOn.Where(name => name != entry.Topic).Distinct())
            topics.GetValueOrDefault(name)?.Publish(entry);
    }

    // Requires _intake.
    private void ReachFor(long offset)
    {
        _target = Math.Max(_target, offset);
        if (_filling || _target <= _reached)
            return;
        _filling = true;
        _ = Background.Run(FillAsync);
    }

    /// <summary>
    /// Reads the events up to the target from the journal, in order. Retries until it succeeds: skipping events would be a silent gap.
    /// </summary>
    private async Task FillAsync()
    {
        while (true)
        {
            try
            {
                var page = await _journal.ReadAsync(
                    new JournalQuery(Volatile.Read(ref _reached), null, JournalLimits.MaxPageEvents),
                    CancellationToken.None
                );
                lock (_intake)
                {
                    if (page.Trimmed && page.Through > _reached)
                        SkipGap(page);
                    // Commit notifications may have delivered some of these events meanwhile.
                    AcceptNew(page.Events);
                    if (_reached >= _target)
                    {
                        _filling = false;
                        return;
                    }
                }
            }
#pragma warning disable CA1031 // wait for the store to recover
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFillFailed(_logger, error, Volatile.Read(ref _reached));
                await Task.Delay(TimeSpan.FromSeconds(1), Time);
            }
        }
    }

    // Requires _intake. Retention removed events before this node read them. Live connections must not skip them silently, so each
    // falls back to the journal, which determines whether events of its topics are missing and then sends a reset.
    private void SkipGap(JournalPage page)
    {
        var reached = page.Events.Count > 0 ? page.Events[0].Position.Offset - 1 : page.Through;
        LogGap(_logger, _reached, reached);
        Volatile.Write(ref _reached, Math.Max(_reached, reached));
        foreach (var shard in _shards)
            shard.SkipGap(_reached);
    }

    private JournalPage? TryReadTail(EventFilter wanted, long after, long reached)
    {
        var events = new List<DunlinEvent>();
        var bytes = 0;
        var offset = after;
        while (offset < reached && events.Count < 256 && bytes < 256 * 1024)
        {
            if (Tail.Find(offset + 1) is not { } entry)
                return null; // newer events have replaced it: read the journal
            offset++;
            if (wanted.Wants(entry))
            {
                events.Add(entry);
                bytes += entry.Data.Length;
            }
        }
        return new JournalPage(events, offset, HasMore: offset < reached, Trimmed: false);
    }

    internal void LogCatchUpFailed(Exception error, string connection) => LogCatchUpFailed(_logger, error, connection);

    [LoggerMessage(
        1000,
        LogLevel.Error,
        "Reading the journal after offset {Offset} failed; retrying. Events arrive late. Check the store."
    )]
    private static partial void LogFillFailed(ILogger logger, Exception error, long offset);

    [LoggerMessage(
        1003,
        LogLevel.Warning,
        "The journal was trimmed between offsets {From} and {Through} before this node read it. Its streams resume from the journal. Raise RetentionOptions if this repeats."
    )]
    private static partial void LogGap(ILogger logger, long from, long through);

    [LoggerMessage(
        1004,
        LogLevel.Error,
        "Writing event '{Type}' of topic '{Topic}' in format {Format} failed. Streams of this format skip the event. Correct the format."
    )]
    private static partial void LogFormatFailed(ILogger logger, Exception error, PeerText type, PeerText topic, string format);

    [LoggerMessage(
        1001,
        LogLevel.Error,
        "Catch-up of connection {Connection} failed. It was closed; the client can resume. Check the store."
    )]
    private static partial void LogCatchUpFailed(ILogger logger, Exception error, string connection);
}
