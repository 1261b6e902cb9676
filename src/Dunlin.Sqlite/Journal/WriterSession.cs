using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Sqlite.Schema;
using Dunlin.Topics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>The connection of the writer and its successive transactions. Append inserts each event immediately. Not thread-safe: the
/// writer's thread uses it.</summary>
internal sealed class WriterSession : WriteTransaction, IDisposable
{
    /// <summary>The maximum number of cached topic numbers, which limits memory to about 10 MiB. Other topics are looked up.</summary>
    private const int MaxKnownTopics = 65_536;

    private static readonly SqlText BeginSql = new("begin");
    private static readonly SqlText CommitSql = new("commit");
    private static readonly SqlText RollbackSql = new("rollback");
    private static readonly SqlText SavepointSql = new("savepoint");
    private static readonly SqlText ReleaseSql = new("release");
    private static readonly SqlText RollbackToSql = new("rollback_to");
    private static readonly SqlText InsertEvent = new("insert_event");
    private static readonly SqlText InsertEventTopic = new("insert_event_topic");
    private static readonly SqlText InsertEventId = new("insert_event_id");
    private static readonly SqlText FindTopic = new("find_topic");
    private static readonly SqlText InsertTopic = new("insert_topic");
    private static readonly SqlText FindIdempotency = new("find_idempotency");
    private static readonly SqlText InsertIdempotency = new("insert_idempotency");
    private static readonly SqlText SaveCounter = new("save_counter");

    private readonly StoreClock _clock;
    private readonly UnitLimit _limit;
    private readonly Statement _insertEvent;
    private readonly Statement _savepoint;
    private readonly Statement _release;
    private readonly Dictionary<TopicName, long> _topics = [];
    private readonly List<TopicName> _newTopics = [];
    private SqliteTransaction? _transaction;
    private long _savedFencingToken;
    private bool _mayCommit;

    public WriterSession(Database database, StoreClock clock, UnitLimit limit, Position head, long fencingToken)
    {
        Database = database;
        _clock = clock;
        _limit = limit;
        FencingToken = _savedFencingToken = fencingToken;
        _insertEvent = database.Prepare(InsertEvent);
        _savepoint = database.Prepare(SavepointSql);
        _release = database.Prepare(ReleaseSql);
        Restart(head);
        // The hook turns a COMMIT by application code into a rollback. A unit of work can break its own changes, but cannot commit half of
        // another request.
        raw.sqlite3_commit_hook(database.Handle, _ => _mayCommit ? 0 : 1, null);
    }

    public Database Database { get; }

    /// <summary>Gets the last issued fencing token.</summary>
    public long FencingToken { get; private set; }

    public override ISqlSession Session => Database;

    public override DbTransaction Transaction => _transaction!;

    public override DateTimeOffset Now => _clock.Now;

    public override bool IsOpen => Database.InTransaction;

    protected override int SideCount => _newTopics.Count;

    protected override DateTimeOffset EventTime => _clock.EventTime;

    /// <param name="withObject">Whether the batch has a unit of work, so that ADO.NET needs a transaction object.</param>
    public void BeginTransaction(bool withObject)
    {
        Restart(Head);
        _newTopics.Clear();
        if (_topics.Count > MaxKnownTopics)
            _topics.Clear();
        if (withObject)
            _transaction = Database.Connection.BeginTransaction(deferred: false);
        else
            Database.Prepare(BeginSql).Run();
    }

    public void CommitTransaction()
    {
        if (FencingToken != _savedFencingToken)
            Database.Prepare(SaveCounter).Bind(1, "fence").Bind(2, FencingToken).Run();
        _mayCommit = true;
        try
        {
            if (_transaction is not null)
                _transaction.Commit();
            else
                Database.Prepare(CommitSql).Run();
        }
        finally
        {
            _mayCommit = false;
        }
        _transaction = null;
        _savedFencingToken = FencingToken;
    }

    /// <summary>Rolls back the transaction if it is open, and its changes in memory.</summary>
    /// <returns>False if the connection must be replaced.</returns>
    public bool RollbackTransaction()
    {
        TakeBack(default);
        try
        {
            if (_transaction is { } transaction)
            {
                _transaction = null;
                transaction.Dispose();
            }
            else if (Database.InTransaction)
            {
                Database.Prepare(RollbackSql).Run();
            }
            return !Database.InTransaction && Database.Connection.State == System.Data.ConnectionState.Open;
        }
        catch (Exception exception) when (exception is SqliteException or InvalidOperationException)
        {
            return false;
        }
    }

    public override ValueTask BeginRequestAsync(WriteRequest request)
    {
        if (request.NeedsSavepoint)
            _savepoint.Run();
        return default;
    }

    public override ValueTask EndRequestAsync(WriteRequest request)
    {
        if (request.NeedsSavepoint)
            _release.Run();
        return default;
    }

    public override ValueTask RollBackRequestAsync(WriteRequest request, Mark mark)
    {
        if (!request.NeedsSavepoint)
            return default;
        TakeBack(mark);
        Database.Prepare(RollbackToSql).Run();
        _release.Run();
        return default;
    }

    public override IUnitLimit StartLimit(CancellationToken caller)
    {
        _limit.Start(Database, caller);
        return _limit;
    }

    // Saved with the commit. A rolled-back token is never issued again.
    public override ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken) => new(++FencingToken);

    public override KeyAnswer? FindAnswer(IdempotencyKey key)
    {
        var find = Database.Prepare(FindIdempotency).Bind(1, key.Scope).Bind(2, key.Key);
        var answer = find.Step()
            ? new KeyAnswer(key, find.Bytes(0).ToArray(), new PositionRange(Start with { Offset = find.Int64(1) }, (int)find.Int64(2)))
            : null;
        find.Reset();
        return answer;
    }

    public override void SaveAnswer(KeyAnswer answer) =>
        Database
            .Prepare(InsertIdempotency)
            .Bind(1, answer.Key.Scope)
            .Bind(2, answer.Key.Key)
            .Bind(3, answer.Fingerprint)
            .Bind(4, answer.Positions[0].Offset)
            .Bind(5, answer.Positions.Count)
            .Bind(6, _clock.Now.ToUnixTimeMilliseconds())
            .Run();

    public void Dispose() => Database.Dispose();

    protected override void Insert(DunlinEvent entry)
    {
        _insertEvent
            .Bind(1, entry.Position.Offset)
            .Bind(2, TopicId(entry.Topic))
            .Bind(3, entry.Type)
            .Bind(4, entry.Data.Span)
            .Bind(5, entry.Origin?.UserId)
            .Bind(6, entry.Origin?.SessionId)
            .Bind(7, entry.Origin?.ConnectionId)
            .Bind(8, entry.Origin?.DeviceId)
            .Bind(9, entry.Time.ToUnixTimeMilliseconds());
        if (entry.Extra is not { IsEmpty: false } extra)
        {
            _insertEvent.Bind(10, (string?)null).Run();
            return;
        }
        _insertEvent.Bind(10, extra.Encode()).Run();
        foreach (var topic in extra.AlsoOn)
            Database.Prepare(InsertEventTopic).Bind(1, TopicId(topic)).Bind(2, entry.Position.Offset).Run();
        if (extra.ForeignId is { } id)
            Database.Prepare(InsertEventId).Bind(1, id).Bind(2, entry.Position.Offset).Run();
    }

    protected override void TakeBackSide(int count)
    {
        for (var i = count; i < _newTopics.Count; i++)
            _topics.Remove(_newTopics[i]);
        _newTopics.RemoveRange(count, _newTopics.Count - count);
    }

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
}
