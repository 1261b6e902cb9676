using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>
/// The writer's connection and what the open transaction has done so far: the next offset, the events to announce, the
/// topics that are new. All of it can be taken back to a <see cref="Mark"/>, as the savepoint takes back the rows; so an
/// offset that a failed unit of work used is used again by the next one, and no gap arises. Used by one thread at a time.
/// </summary>
internal sealed class WriterSession : IAppendSession, IDisposable
{
    /// <summary>Topics whose numbers are remembered; bounds memory at some ten MiB. Beyond, they are looked up again.</summary>
    private const int MaxKnownTopics = 65_536;

    private static readonly SqlText Begin = new("begin");
    private static readonly SqlText Commit = new("commit");
    private static readonly SqlText Rollback = new("rollback");
    private static readonly SqlText SavepointSql = new("savepoint");
    private static readonly SqlText ReleaseSql = new("release");
    private static readonly SqlText RollbackTo = new("rollback_to");
    private static readonly SqlText InsertEvent = new("insert_event");
    private static readonly SqlText FindTopic = new("find_topic");
    private static readonly SqlText InsertTopic = new("insert_topic");
    private static readonly SqlText FindIdempotency = new("find_idempotency");
    private static readonly SqlText InsertIdempotency = new("insert_idempotency");
    private static readonly SqlText SaveCounter = new("save_counter");

    private readonly uint _epoch;
    private readonly Statement _insertEvent;
    private readonly Statement _savepoint;
    private readonly Statement _release;
    private readonly Dictionary<TopicName, long> _topics = [];
    private readonly List<TopicName> _newTopics = [];
    private List<Event> _events = [];
    private long _head;
    private long _fence;
    private long _savedFence;
    private bool _mayCommit;

    public WriterSession(Database database, StoreClock clock, UnitLimit limit, uint epoch, long head, long fence)
    {
        Database = database;
        Clock = clock;
        Limit = limit;
        _epoch = epoch;
        _head = head;
        _fence = _savedFence = fence;
        _insertEvent = database.Prepare(InsertEvent);
        _savepoint = database.Prepare(SavepointSql);
        _release = database.Prepare(ReleaseSql);
        // A COMMIT that is not ours becomes a rollback: application code inside a unit of work can break its own change,
        // but never commit half of somebody else's.
        raw.sqlite3_commit_hook(database.Handle, _ => _mayCommit ? 0 : 1, null);
    }

    public Database Database { get; }

    public StoreClock Clock { get; }

    public UnitLimit Limit { get; }

    /// <summary>The transaction as ADO.NET knows it; only in a batch that holds units of work.</summary>
    public SqliteTransaction? Transaction { get; private set; }

    /// <summary>The last offset appended, committed or not.</summary>
    public long Head => _head;

    /// <summary>The last fencing token handed out.</summary>
    public long Fence => _fence;

    /// <summary>Events appended since <see cref="BeginTransaction"/>.</summary>
    public IReadOnlyList<Event> Events => _events;

    public void BeginTransaction(bool withObject)
    {
        _events = [];
        _newTopics.Clear();
        if (_topics.Count > MaxKnownTopics)
            _topics.Clear();
        if (withObject)
            Transaction = Database.Connection.BeginTransaction(deferred: false);
        else
            Database.Prepare(Begin).Run();
    }

    public void CommitTransaction()
    {
        if (_fence != _savedFence)
            Database.Prepare(SaveCounter).Bind(1, "fence").Bind(2, _fence).Run();
        _mayCommit = true;
        try
        {
            if (Transaction is not null)
                Transaction.Commit();
            else
                Database.Prepare(Commit).Run();
        }
        finally
        {
            _mayCommit = false;
        }
        Transaction = null;
        _savedFence = _fence;
    }

    /// <summary>Gives up the transaction, if it is still open, and what it did in memory.</summary>
    /// <returns>False where the connection is left in a state that only a new one cures.</returns>
    public bool RollbackTransaction(long head)
    {
        TakeBack(new Mark(head, 0, 0));
        try
        {
            if (Transaction is { } transaction)
            {
                Transaction = null;
                transaction.Dispose();
            }
            else if (Database.InTransaction)
            {
                Database.Prepare(Rollback).Run();
            }
            return !Database.InTransaction && Database.Connection.State == System.Data.ConnectionState.Open;
        }
        catch (Exception exception) when (exception is SqliteException or InvalidOperationException)
        {
            return false;
        }
    }

    public void Savepoint() => _savepoint.Run();

    /// <summary>The state to go back to if what comes next fails.</summary>
    public Mark Here => new(_head, _events.Count, _newTopics.Count);

    public void Release() => _release.Run();

    public void RollbackToSavepoint(Mark mark)
    {
        TakeBack(mark);
        Database.Prepare(RollbackTo).Run();
        _release.Run();
    }

    public Position NextPosition => new(_epoch, _head + 1);

    public Position Append(EventDraft draft)
    {
        var topic = TopicId(draft.Topic);
        var position = NextPosition;
        var time = Clock.EventTime;
        var origin = draft.Origin;
        _insertEvent
            .Bind(1, position.Offset)
            .Bind(2, topic)
            .Bind(3, draft.Type)
            .Bind(4, draft.Data.Span)
            .Bind(5, origin?.UserId)
            .Bind(6, origin?.SessionId)
            .Bind(7, origin?.ConnectionId)
            .Bind(8, origin?.DeviceId)
            .Bind(9, time.ToUnixTimeMilliseconds())
            .Run();
        _head = position.Offset;
        _events.Add(new Event(position, draft.Topic, draft.Type, draft.Data, origin, time));
        return position;
    }

    public KeyAnswer? FindAnswer(IdempotencyKey key)
    {
        var find = Database.Prepare(FindIdempotency).Bind(1, key.Scope).Bind(2, key.Key);
        var answer = find.Step()
            ? new KeyAnswer(key, find.Bytes(0).ToArray(), new PositionRange(new Position(_epoch, find.Int64(1)), (int)find.Int64(2)))
            : null;
        find.Reset();
        return answer;
    }

    public void SaveAnswer(KeyAnswer answer) =>
        Database.Prepare(InsertIdempotency)
            .Bind(1, answer.Key.Scope)
            .Bind(2, answer.Key.Key)
            .Bind(3, answer.Fingerprint)
            .Bind(4, answer.Positions[0].Offset)
            .Bind(5, answer.Positions.Count)
            .Bind(6, Clock.Now.ToUnixTimeMilliseconds())
            .Run();

    /// <summary>The next fencing token. It is saved with the commit; one that is rolled back is simply never used again.</summary>
    public long NextFence() => ++_fence;

    public void Dispose() => Database.Dispose();

    private long TopicId(TopicName topic)
    {
        if (_topics.TryGetValue(topic, out var id))
            return id;
        var find = Database.Prepare(FindTopic).Bind(1, topic.Value);
        if (find.Step())
        {
            id = find.Int64(0);
            find.Reset();
        }
        else
        {
            find.Reset();
            Database.Prepare(InsertTopic).Bind(1, topic.Value).Run();
            id = raw.sqlite3_last_insert_rowid(Database.Handle);
            _newTopics.Add(topic);
        }
        _topics[topic] = id;
        return id;
    }

    private void TakeBack(Mark mark)
    {
        _head = mark.Head;
        _events.RemoveRange(mark.Events, _events.Count - mark.Events);
        for (var i = mark.NewTopics; i < _newTopics.Count; i++)
            _topics.Remove(_newTopics[i]);
        _newTopics.RemoveRange(mark.NewTopics, _newTopics.Count - mark.NewTopics);
    }

    /// <summary>A state to go back to.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    public readonly record struct Mark(long Head, int Events, int NewTopics);
}
