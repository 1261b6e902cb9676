using System.Data;
using System.Data.Common;
using System.Globalization;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Schema;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>One transaction of the writer. Not thread-safe.</summary>
/// <remarks>
/// Events and idempotency results stay in memory until the commit inserts them together. A failed unit of work therefore removes its events
/// without a statement. The savepoint of a unit is sent with its first statement, so a unit that only appends sends nothing. Round trips:
/// <code>
/// BEGIN, time-outs, lock, state, keys                 one round trip
/// (keys of requests that arrived during the wait)     one round trip
/// ((release,) savepoint and) statements of a unit     their own
/// (release,) topics, events, keys, notify, COMMIT     one round trip
/// </code>
/// </remarks>
internal sealed class WriterSession : WriteTransaction
{
    private static readonly SqlText BeginWrite = new("begin_write");
    private static readonly SqlText Lock = new("lock");
    private static readonly SqlText FindState = new("find_state");
    private static readonly SqlText FindIdempotency = new("find_idempotency");
    private static readonly SqlText InsertIdempotency = new("insert_idempotency");
    private static readonly SqlText InsertTopics = new("insert_topics");
    private static readonly SqlText InsertEvents = new("insert_events");
    private static readonly SqlText InsertEventTopics = new("insert_event_topics");
    private static readonly SqlText InsertEventIds = new("insert_event_ids");
    private static readonly SqlText Notify = new("notify");
    private static readonly Savepoint[] Savepoints = [new("even"), new("odd")];
    private static readonly SqlText Commit = new("commit");
    private static readonly SqlText NextFence = new("next_fence");

    private readonly NpgsqlConnection _connection;
    private readonly WriterSettings _settings;
    private readonly KnownTopics _topics;
    private readonly PostgresSession _session;
    private readonly List<KeyAnswer> _answers = [];
    private readonly Dictionary<IdempotencyKey, KeyAnswer> _known = [];
    private NpgsqlTransaction? _transaction;
    private DateTimeOffset _now;
    private Savepoint? _savepoint; // of the last unit of work that sent a statement
    private bool _needsSavepoint; // the running unit of work has sent no statement

    public WriterSession(NpgsqlConnection connection, WriterSettings settings, KnownTopics topics)
    {
        (_connection, _settings, _topics) = (connection, settings, topics);
        _session = new PostgresSession(connection, TakeSavepoint);
    }

    public override ISqlSession Session => _session;

    public override DbTransaction Transaction
    {
        get
        {
            _ = _session.Connection; // sets the savepoint
            return _transaction!;
        }
    }

    public override DateTimeOffset Now => _now;

    public override bool IsOpen => _connection.State == ConnectionState.Open && !PostgresTransactions.HasEnded(_transaction!);

    /// <summary>Gets the id for <see cref="TransactionOutcome.FindAsync"/>.</summary>
    public string TransactionId { get; private set; } = "";

    /// <summary>Gets the id of the server process of the _connection.</summary>
    public int ProcessId { get; private set; }

    protected override int SideCount => _answers.Count;

    protected override DateTimeOffset EventTime => DatabaseClock.EventTime(_now);

    /// <summary>Opens the transaction and takes the lock. Waits while another node holds it.</summary>
    public async Task BeginAsync(IReadOnlyCollection<WriteRequest> requests)
    {
        _transaction = await _connection.BeginTransactionAsync(IsolationLevel.ReadCommitted);
        var keys = requests.Select(request => request.Key).OfType<IdempotencyKey>().Distinct().ToList();
        await using var batch = new NpgsqlBatch(_connection);
        batch
            .Add(
                BeginWrite,
                Milliseconds(_settings.LockTimeout),
                Milliseconds(_settings.StatementTimeout),
                Milliseconds(_settings.IdleTimeout)
            )
            .Add(Lock)
            .Add(FindState);
        if (keys.Count > 0)
            AddLookUp(batch, keys);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        Restart(new Position((uint)reader.GetInt64(1), reader.GetInt64(0)));
        _now = _settings.Clock.Read(reader.GetDecimal(2), reader.GetInt64(3));
        TransactionId = reader.GetString(4);
        ProcessId = reader.GetInt32(5);
        if (keys.Count > 0)
        {
            await reader.NextResultAsync();
            await ReadAnswersAsync(reader);
        }
        // Reads all results: an error of a later statement is reported there.
        while (await reader.NextResultAsync()) { }
    }

    /// <summary>Looks up the stored results of these keys.</summary>
    public async Task FindAnswersAsync(IReadOnlyCollection<IdempotencyKey> keys)
    {
        await using var batch = new NpgsqlBatch(_connection);
        AddLookUp(batch, [.. keys.Distinct()]);
        await using var reader = await batch.ExecuteReaderAsync();
        await ReadAnswersAsync(reader);
    }

    public override ValueTask BeginRequestAsync(WriteRequest request)
    {
        _needsSavepoint = request.IsUnit;
        return default;
    }

    public override ValueTask EndRequestAsync(WriteRequest request)
    {
        _needsSavepoint = false;
        return default;
    }

    public override async ValueTask RollBackRequestAsync(WriteRequest request, Mark mark)
    {
        TakeBack(mark);
        if (!request.IsUnit || _needsSavepoint)
        {
            _needsSavepoint = false;
            return;
        }
        await using var command = _connection.Command(_savepoint!.RollbackTo);
        await command.ExecuteNonQueryAsync();
    }

    public override IUnitLimit StartLimit(CancellationToken caller) => new UnitLimit(_settings.WriteLimit, _settings.Time, caller);

    public override async ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        // Not cancellable, because it may set the savepoint.
        await using var batch = (TakeSavepoint() ?? new NpgsqlBatch(_connection)).Add(NextFence);
        return (long)(await batch.ExecuteScalarAsync(CancellationToken.None))!;
    }

    public override void Check(EventDraft draft)
    {
        base.Check(draft);
        TextRules.Check(draft);
    }

    public override KeyAnswer? FindAnswer(IdempotencyKey key) => _known.GetValueOrDefault(key);

    public override void SaveAnswer(KeyAnswer answer)
    {
        _answers.Add(answer);
        _known[answer.Key] = answer;
    }

    /// <summary>Inserts the appended events and commits. If this throws because the connection was lost, the outcome is unknown.</summary>
    public async Task CommitAsync()
    {
        await using var batch = new NpgsqlBatch(_connection);
        if (_savepoint is { } last)
            batch.Add(last.Release);
        var added = _topics.Missing(Events);
        if (added.Count > 0)
            batch.Add(InsertTopics, Statements.Texts(added.Select(topic => topic.Value)));
        if (Events.Count > 0)
        {
            AddEvents(batch);
            batch.Add(Notify, Statements.Text(PostgresStore.Channel), Statements.Text(CommitNotice.Write(Events[^1].Position)));
        }
        if (_answers.Count > 0)
            AddAnswers(batch);
        batch.Add(Commit);
        await batch.ExecuteNonQueryAsync();
        _topics.Add(added);
        await _transaction!.DisposeAsync();
    }

    /// <summary>Returns the statements that set the savepoint of the running unit of work; null if it is set, or not needed.</summary>
    private NpgsqlBatch? TakeSavepoint()
    {
        if (!_needsSavepoint)
            return null;
        _needsSavepoint = false;
        var batch = new NpgsqlBatch(_connection);
        var next = ReferenceEquals(_savepoint, Savepoints[0]) ? Savepoints[1] : Savepoints[0];
        if (_savepoint is { } last)
            batch.Add(last.Release);
        _savepoint = next;
        return batch.Add(next.Set);
    }

    protected override void TakeBackSide(int count)
    {
        for (var i = count; i < _answers.Count; i++)
            _known.Remove(_answers[i].Key);
        _answers.RemoveRange(count, _answers.Count - count);
    }

    private static void AddLookUp(NpgsqlBatch batch, IReadOnlyCollection<IdempotencyKey> keys) =>
        batch.Add(FindIdempotency, Statements.Texts(keys.Select(key => key.Scope)), Statements.Texts(keys.Select(key => key.Key)));

    private async Task ReadAnswersAsync(NpgsqlDataReader reader)
    {
        while (await reader.ReadAsync())
        {
            var key = new IdempotencyKey(reader.GetString(0), reader.GetString(1));
            var positions = new PositionRange(Start with { Offset = reader.GetInt64(3) }, reader.GetInt32(4));
            _known[key] = new KeyAnswer(key, reader.GetFieldValue<byte[]>(2), positions);
        }
    }

    private void AddEvents(NpgsqlBatch batch)
    {
        batch.Add(
            InsertEvents,
            Statements.Number(Events[0].Position.Offset),
            Statements.Texts(Events.Select(e => e.Topic.Value)),
            Statements.Texts(Events.Select(e => e.Type)),
            Statements.Byteas(Events.Select(e => e.Data)),
            Statements.Texts(Events.Select(e => e.Origin?.UserId)),
            Statements.Texts(Events.Select(e => e.Origin?.SessionId)),
            Statements.Texts(Events.Select(e => e.Origin?.ConnectionId)),
            Statements.Texts(Events.Select(e => e.Origin?.DeviceId)),
            Statements.Number(Events[0].Time.ToUnixTimeMilliseconds()),
            Statements.Byteas(Events.Select(e => e.EncodedExtra))
        );
        var further = Events.SelectMany(e => e.AlsoOn, (e, topic) => (e.Position.Offset, Topic: topic.Value)).ToList();
        if (further.Count > 0)
            batch.Add(InsertEventTopics, Statements.Texts(further.Select(t => t.Topic)), Statements.Numbers(further.Select(t => t.Offset)));
        var ids = Events.Where(e => e.ForeignId is not null).ToList();
        if (ids.Count > 0)
            batch.Add(
                InsertEventIds,
                Statements.Texts(ids.Select(e => e.ForeignId)),
                Statements.Numbers(ids.Select(e => e.Position.Offset))
            );
    }

    private void AddAnswers(NpgsqlBatch batch) =>
        batch.Add(
            InsertIdempotency,
            Statements.Texts(_answers.Select(a => a.Key.Scope)),
            Statements.Texts(_answers.Select(a => a.Key.Key)),
            Statements.Byteas(_answers.Select(a => (ReadOnlyMemory<byte>)a.Fingerprint)),
            Statements.Numbers(_answers.Select(a => a.Positions[0].Offset)),
            Statements.Integers(_answers.Select(a => a.Positions.Count)),
            Statements.Number(_now.ToUnixTimeMilliseconds())
        );

    internal static NpgsqlParameter Milliseconds(TimeSpan time) =>
        Statements.Text(((long)Math.Ceiling(time.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture));
}

/// <summary>The statements of a savepoint. Two names alternate: if the savepoint of a unit was not set, rolling back to it fails, and
/// cannot undo the unit before it.</summary>
internal sealed class Savepoint(string name)
{
    public SqlText Set { get; } = new($"savepoint_{name}");

    public SqlText Release { get; } = new($"release_{name}");

    public SqlText RollbackTo { get; } = new($"rollback_to_{name}");
}

/// <summary>The settings of all transactions of the writer. Immutable.</summary>
internal sealed record WriterSettings(DatabaseClock Clock, TimeSpan WriteLimit, TimeSpan Patience, TimeProvider Time)
{
    /// <summary>Gets how long to wait for the lock. Other nodes may run long units of work, and the server may have to disconnect one
    /// first.</summary>
    public TimeSpan LockTimeout => 2 * IdleTimeout;

    public TimeSpan StatementTimeout => 4 * IdleTimeout;

    /// <summary>Gets how long a transaction of the writer may be idle before the server ends it. A unit of work may be idle for its whole
    /// limit.</summary>
    public TimeSpan IdleTimeout => WriteLimit + TimeSpan.FromSeconds(1);
}

/// <summary>A bounded cache of topics that are in the database, because a commit inserted or found them. Not thread-safe.</summary>
internal sealed class KnownTopics
{
    /// <summary>The maximum number of topics, about 10 MiB. Other topics are looked up again.</summary>
    private const int MaxKnown = 65_536;

    private readonly HashSet<TopicName> _known = [];

    public IReadOnlyCollection<TopicName> Missing(IReadOnlyList<DunlinEvent> events)
    {
        HashSet<TopicName>? missing = null;
        foreach (var entry in events)
        {
            if (!_known.Contains(entry.Topic))
                (missing ??= []).Add(entry.Topic);
            for (var i = 0; i < entry.AlsoOn.Count; i++)
            {
                if (!_known.Contains(entry.AlsoOn[i]))
                    (missing ??= []).Add(entry.AlsoOn[i]);
            }
        }
        return (IReadOnlyCollection<TopicName>?)missing ?? [];
    }

    public void Add(IReadOnlyCollection<TopicName> added)
    {
        if (_known.Count + added.Count > MaxKnown)
            _known.Clear();
        _known.UnionWith(added);
    }
}
