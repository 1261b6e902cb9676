using System.Text.Json;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Simulation.Storage;

/// <summary>The database that all nodes share: one writer at a time, and it survives crashes of the nodes.</summary>
/// <remarks>
/// Owners: the database owns the rows, the head, the answers and the lock of the writers. A session owns the lock until it commits, rolls
/// back, dies or exceeds <see cref="SessionLimit"/>. A commit of a session that no longer owns the lock is refused.
/// </remarks>
internal sealed class SimDatabase(SimWorld world, Sabotage sabotage)
{
    /// <summary>The type of the event whose commit ends a right. Its data is the user, a space and the topic, as a JSON string.</summary>
    public const string RightEnded = "right.ended";

    /// <summary>The time after which the database ends a silent session, so that other writers can continue.</summary>
    private static readonly TimeSpan SessionLimit = TimeSpan.FromSeconds(6);

    private readonly EventList _events = new();
    private readonly List<(SimScheduler Node, long Session, TaskCompletionSource Granted)> _waiting = [];
    private readonly List<DunlinEvent> _log = [];
    private (SimScheduler Node, long Session)? _writer;
    private long _lastSession;

    public uint Epoch { get; } = 0x51311;

    public long Head { get; private set; }

    public SimRows Rows { get; private set; } = SimRows.Empty;

    public SimRows RowsBefore { get; private set; } = SimRows.Empty;

    public Dictionary<IdempotencyKey, (byte[] Fingerprint, PositionRange Positions)> Answers { get; } = [];

    public bool IsFull { get; set; }

    public bool HasTrimmed { get; private set; }

    /// <summary>Gets every event that was ever committed, in order. The checkers read it; nodes do not.</summary>
    public IReadOnlyList<DunlinEvent> Log => _log;

    public TopicRights Rights { get; } = new();

    /// <summary>Waits for the lock of the writers. A random waiter gets it next.</summary>
    public async Task<long> LockAsync(SimScheduler node)
    {
        var session = ++_lastSession;
        if (_writer is not null)
        {
            var granted = new TaskCompletionSource();
            _waiting.Add((node, session, granted));
            await granted.Task;
            return session;
        }
        Grant(node, session);
        return session;
    }

    public void Unlock(long session)
    {
        if (_writer?.Session != session)
            return;
        _writer = null;
        if (_waiting.Count == 0)
            return;
        var index = world.Random.Next(_waiting.Count);
        var next = _waiting[index];
        _waiting.RemoveAt(index);
        Grant(next.Node, next.Session);
        next.Granted.SetResult();
    }

    /// <summary>Ends the sessions of a crashed node. Its open unit rolls back a moment later.</summary>
    public void OnCrash(SimScheduler node)
    {
        _waiting.RemoveAll(waiting => waiting.Node == node);
        if (_writer is { } writer && writer.Node == node)
            world.Time.CallAfter(world.Upto(TimeSpan.FromSeconds(1)), () => Unlock(writer.Session));
    }

    public bool Owns(long session) => _writer?.Session == session;

    public JournalPage Read(JournalQuery query)
    {
        var page = _events.Read(query, Head);
        return sabotage == Sabotage.PageLosesLastEvent && page.Events.Count > 1
            ? page with
            {
                Events = [.. page.Events.SkipLast(1)],
            }
            : page;
    }

    public long? Find(string foreignId) => _events.Find(foreignId);

    public long LastEvent(TopicName topic) => _events.LastOf(topic);

    public void Commit(SimRows rows, IReadOnlyList<DunlinEvent> events)
    {
        foreach (var entry in events)
        {
            if (entry.Position.Offset != _log.Count + 1)
                throw world.Fail("positions", $"Offset {entry.Position.Offset} follows offset {_log.Count}.");
            _log.Add(entry);
            if (entry.Type == RightEnded)
                Rights.End(JsonSerializer.Deserialize<string>(entry.Data.Span)!, world.Time.Elapsed);
        }
        _events.Add(events);
        if (events.Count > 0)
            Head = events[^1].Position.Offset;
        (RowsBefore, Rows) = (Rows, rows);
    }

    public long Trim(RetentionOptions rules, DateTimeOffset now)
    {
        var removed = _events.Trim(rules, now, Rows.Streams.ByTopic);
        HasTrimmed |= removed > 0;
        return removed;
    }

    private void Grant(SimScheduler node, long session)
    {
        _writer = (node, session);
        world.Time.CallAfter(SessionLimit, () => Unlock(session));
    }
}

/// <summary>The rows of one commit. Immutable, so a reference is a snapshot.</summary>
internal sealed record SimRows(LeaseRows Leases, RecordRows Records, StreamRows Streams, ConsumerRows Consumers, WebhookRows Webhooks)
{
    public static SimRows Empty { get; } = new(LeaseRows.Empty, RecordRows.Empty, StreamRows.Empty, ConsumerRows.Empty, WebhookRows.Empty);
}

/// <summary>The application's own table of rights: which user may not read which topic, and since which time.</summary>
internal sealed class TopicRights
{
    private readonly Dictionary<string, TimeSpan> _ended = [];

    public bool MayRead(string user, string topic) => !_ended.ContainsKey($"{user} {topic}");

    public bool MayReadAll(string user) => _ended.Keys.All(key => !key.StartsWith(user + " ", StringComparison.Ordinal));

    public TimeSpan? EndOf(string user, string topic) => _ended.TryGetValue($"{user} {topic}", out var end) ? end : null;

    public void End(string userAndTopic, TimeSpan at) => _ended.TryAdd(userAndTopic, at);
}
