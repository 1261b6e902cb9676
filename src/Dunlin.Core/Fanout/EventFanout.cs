using System.Diagnostics;
using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Fanout;

/// <summary>
/// Committed event -> every local connection that may see it. Events come in from the store of this node and, as hints,
/// from others; whatever the order of arrival, they go out in the order of their offsets, without a gap: what a hint skips
/// is read from the journal first. Safe for concurrent use.
/// </summary>
public sealed partial class EventFanout : IBackplaneNode
{
    private readonly Lock _intake = new(); // guards _topics, _target, _filling, _hasBegun, and the order of Accept
    private readonly IJournal _journal;
    private readonly IBackplane _backplane;
    private readonly ILogger _logger;
    private readonly FanoutShard[] _shards;
    private readonly CatchUpPages _pages;
    private readonly CommitsAhead _ahead = new(); // under _intake
    private readonly TracedCommits _commits = new(); // under _intake
    private Dictionary<TopicName, Signal<Event>> _topics = []; // replaced under _intake, never changed
    private long _reached;
    private long _target;
    private bool _filling;
    private bool _hasBegun;
    private int _nextShard;

    /// <summary>Made by the container.</summary>
    public EventFanout(
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
        Opened = new("opened connections", logger);
        Closed = new("closed connections", logger);
        feed.Committed.Subscribe(OnCommitted);
        feed.HeadMoved.Subscribe(OnReached);
        feed.Traced.Subscribe(traced => OnTraced(traced.Through, traced.Commit));
        backplane.Attach(this);
    }

    /// <summary>Everything up to here has been handed to the connections of this node.</summary>
    public Position DeliveredHead => _journal.Head with { Offset = Volatile.Read(ref _reached) };

    internal TimerWheel Wheel { get; }

    internal TimeProvider Time { get; }

    internal FanoutOptions Options { get; }

    internal FanoutInstruments Instruments { get; }

    internal EventTail Tail { get; }

    /// <summary>Reports an event that a wire format could not write. Made once: it is passed along with every event.</summary>
    internal Action<Event, IWireFormat, Exception> FormatFailed { get; }

    /// <summary>Every event of a topic, committed by any node or transient, in order, before it goes to the connections. Handlers must not
    /// call back.</summary>
    internal Signal<Event> EventsOf(TopicName topic)
    {
        lock (_intake)
        {
            if (!_topics.TryGetValue(topic, out var events))
                Volatile.Write(ref _topics, new(_topics) { [topic] = events = new Signal<Event>(topic.Value, _logger) });
            return events;
        }
    }

    /// <summary>Begins at the head of the journal. Call once, when the store is open and before the first connection.</summary>
    public void Begin()
    {
        lock (_intake)
        {
            _reached = _target = _journal.Head.Offset;
            _hasBegun = true;
            foreach (var shard in _shards)
                shard.Begin(_reached);
        }
    }

    /// <summary>Delivers an event live, to this node's connections and (best effort) those of other nodes. It is in no
    /// journal, has no id and is never replayed.</summary>
    public void PublishTransient(EventDraft draft)
    {
        var entry = Event.Transient(draft, Time.GetUtcNow());
        OnTransient(entry);
        _backplane.Transient(this, entry);
    }

    /// <inheritdoc/>
    public void OnTransient(Event entry)
    {
        Event[] one = [entry];
        Tell(one);
        foreach (var shard in _shards)
            shard.Deliver(one, span: null);
    }

    /// <inheritdoc/>
    public void OnTraced(Position through, ActivityContext commit)
    {
        if (!DunlinActivities.Source.HasListeners() || through.Epoch != _journal.Head.Epoch)
            return;
        lock (_intake)
        {
            if (through.Offset > _reached)
                _commits.Add(through.Offset, commit);
        }
    }

    /// <inheritdoc/>
    public void OnReached(Position position)
    {
        lock (_intake)
        {
            // Before the beginning there is nothing to catch up with: it takes the head as it is then.
            if (_hasBegun && position.Epoch == _journal.Head.Epoch)
                ReachFor(position.Offset);
        }
    }

    /// <inheritdoc/>
    public void OnCommitNotification(IReadOnlyList<Event> committed)
    {
        // A hint of another history would be a plausible lie.
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

    /// <summary>A page after <paramref name="after"/>: from memory where it still is, else from the journal.</summary>
    internal ValueTask<JournalPage> ReadAsync(IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns, long after)
    {
        var reached = Volatile.Read(ref _reached);
        if (after >= reached && after >= _journal.Head.Offset)
            return new(new JournalPage([], after, HasMore: false, Trimmed: false));
        return Tail.Find(after + 1) is not null && TryReadTail(new TopicFilter(topics, patterns), after, reached) is { } page
            ? new(page)
            : _pages.ReadAsync(topics, patterns, after);
    }

    internal TimeSpan ReconnectDelay(ConnectionEnd end) =>
        end switch
        {
            // Spread, so that a node that goes does not bring all its readers to the next one in the same instant.
            ConnectionEnd.Draining => TimeSpan.FromMilliseconds(Random.Shared.Next(500, 5_000)),
            ConnectionEnd.Failed => TimeSpan.FromMilliseconds(Random.Shared.Next(1_000, 10_000)),
            _ => TimeSpan.FromMilliseconds(Random.Shared.Next(100, 1_000)),
        };

    private void OnCommitted(IReadOnlyList<Event> events)
    {
        if (DunlinActivities.CurrentCommit is { } commit)
            OnTraced(events[^1].Position, commit);
        OnCommitNotification(events);
        _backplane.Notify(this, events);
    }

    /// <summary>Completes when what was handed to the shards so far has been delivered or queued.</summary>
    internal Task SettledAsync() => Task.WhenAll(_shards.Select(shard => shard.SettledAsync()));

    // Only under _intake.
    private void Accept(IReadOnlyList<Event> events)
    {
        for (var i = 0; i < events.Count; i++)
            Tail.Add(events[i]);
        Tell(events);
        Volatile.Write(ref _reached, events[^1].Position.Offset);
        var span = DunlinActivities.Source.HasListeners()
            ? DeliverySpan.Start(events.Count, _commits.Take(events[^1].Position.Offset), _shards.Length)
            : null;
        foreach (var shard in _shards)
            shard.Deliver(events, span);
    }

    // Only under _intake. What was reached already is left out, and what was hinted beyond is let in as soon as it follows.
    private void AcceptNew(IReadOnlyList<Event> events)
    {
        if (CommitsAhead.After(events, _reached) is { Count: > 0 } rest)
            Accept(rest);
        while (_ahead.Take(_reached) is { } next)
            Accept(next);
    }

    private void Tell(IReadOnlyList<Event> events)
    {
        var topics = Volatile.Read(ref _topics);
        if (topics.Count == 0)
            return;
        for (var i = 0; i < events.Count; i++)
        {
            if (topics.TryGetValue(events[i].Topic, out var topic))
                topic.Publish(events[i]);
        }
    }

    // Only under _intake.
    private void ReachFor(long offset)
    {
        _target = Math.Max(_target, offset);
        if (_filling || _target <= _reached)
            return;
        _filling = true;
        _ = Task.Run(FillAsync);
    }

    /// <summary>Reads what lies between here and the target, in order. Tries until it succeeds: skipping would be a silent gap.</summary>
    // No BackgroundLoop: it lives for one gap, and begins and ends under _intake together with _filling.
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
                    // Hints may have brought some of it meanwhile.
                    AcceptNew(page.Events);
                    if (_reached >= _target)
                    {
                        _filling = false;
                        return;
                    }
                }
            }
#pragma warning disable CA1031 // any failure of the store is waited out
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFillFailed(_logger, error, Volatile.Read(ref _reached));
                await Task.Delay(TimeSpan.FromSeconds(1), Time);
            }
        }
    }

    // Only under _intake. Retention was quicker than this node: what it can no longer read, its live connections must not pass over in
    // silence. Each goes back to the journal, which knows whether anything of its topics is gone, and tells it then.
    private void SkipGap(JournalPage page)
    {
        var reached = page.Events.Count > 0 ? page.Events[0].Position.Offset - 1 : page.Through;
        LogGap(_logger, _reached, reached);
        Volatile.Write(ref _reached, Math.Max(_reached, reached));
        foreach (var shard in _shards)
            shard.SkipGap(_reached);
    }

    private JournalPage? TryReadTail(TopicFilter wanted, long after, long reached)
    {
        var events = new List<Event>();
        var bytes = 0;
        var offset = after;
        while (offset < reached && events.Count < 256 && bytes < 256 * 1024)
        {
            if (Tail.Find(offset + 1) is not { } entry)
                return null; // overtaken by newer events: the journal still has it
            offset++;
            if (wanted.Wants(entry.Topic))
            {
                events.Add(entry);
                bytes += entry.Data.Length;
            }
        }
        return new JournalPage(events, offset, HasMore: offset < reached, Trimmed: false);
    }

    internal void LogCatchUpFailed(Exception error, string connection) => LogCatchUpFailed(_logger, error, connection);

    [LoggerMessage(1000, LogLevel.Error, "Reading the journal after offset {Offset} failed; trying again")]
    private static partial void LogFillFailed(ILogger logger, Exception error, long offset);

    [LoggerMessage(
        1003,
        LogLevel.Warning,
        "The journal was trimmed between {From} and {Through} before this node had read it; its streams go back to the journal"
    )]
    private static partial void LogGap(ILogger logger, long from, long through);

    [LoggerMessage(
        1004,
        LogLevel.Error,
        "Event '{Type}' of topic '{Topic}' could not be written by {Format}. Streams of this format go on without it."
    )]
    private static partial void LogFormatFailed(ILogger logger, Exception error, PeerText type, PeerText topic, string format);

    [LoggerMessage(1001, LogLevel.Error, "Connection {Connection} could not catch up and is closed; it can resume")]
    private static partial void LogCatchUpFailed(ILogger logger, Exception error, string connection);
}
