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

/// <summary>
/// One transaction of the writer. Events and answers to keys stay in memory until the commit inserts all of them at once, so a unit of
/// work that fails takes its events back without a statement.
/// <code>
/// BEGIN, time-outs, lock, state, keys (, savepoint)   one round trip
/// (keys of requests that came while the lock was waited for)
/// units of work                                       their own
/// (release,) topics, events, keys, notify, COMMIT     one round trip
/// </code>
/// </summary>
internal sealed class WriterSession(NpgsqlConnection connection, WriterSettings settings, KnownTopics topics) : WriteTransaction
{
    private static readonly SqlText BeginWrite = new("begin_write");
    private static readonly SqlText Lock = new("lock");
    private static readonly SqlText FindState = new("find_state");
    private static readonly SqlText FindIdempotency = new("find_idempotency");
    private static readonly SqlText InsertIdempotency = new("insert_idempotency");
    private static readonly SqlText InsertTopics = new("insert_topics");
    private static readonly SqlText InsertEvents = new("insert_events");
    private static readonly SqlText Notify = new("notify");
    private static readonly SqlText Savepoint = new("savepoint");
    private static readonly SqlText Release = new("release");
    private static readonly SqlText RollbackTo = new("rollback_to");
    private static readonly SqlText Commit = new("commit");
    private static readonly SqlText NextFence = new("next_fence");

    private readonly PostgresSession _session = new(connection);
    private readonly List<KeyAnswer> _answers = [];
    private readonly Dictionary<IdempotencyKey, KeyAnswer> _known = [];
    private NpgsqlTransaction? _transaction;
    private DateTimeOffset _now;
    private bool _hasSavepoint;
    private bool _isFresh;

    public override ISqlSession Session => _session;

    public override DbTransaction Transaction => _transaction!;

    public override DateTimeOffset Now => _now;

    public override bool IsOpen => connection.State == ConnectionState.Open && !PostgresTransactions.HasEnded(_transaction!);

    /// <summary>The number of the transaction, by which its outcome can be asked for.</summary>
    public long TransactionId { get; private set; }

    /// <summary>The server process behind the connection.</summary>
    public int ProcessId { get; private set; }

    protected override int SideCount => _answers.Count;

    protected override DateTimeOffset EventTime => DatabaseClock.EventTime(_now);

    /// <summary>Opens the transaction and takes the lock; waits for whoever holds it.</summary>
    public async Task BeginAsync(IReadOnlyCollection<WriteRequest> requests)
    {
        _transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted);
        var keys = requests.Select(request => request.Key).OfType<IdempotencyKey>().Distinct().ToList();
        await using var batch = new NpgsqlBatch(connection);
        batch
            .Add(
                BeginWrite,
                Milliseconds(settings.LockTimeout),
                Milliseconds(settings.StatementTimeout),
                Milliseconds(settings.IdleTimeout)
            )
            .Add(Lock)
            .Add(FindState);
        if (keys.Count > 0)
            AddLookUp(batch, keys);
        _isFresh = requests.FirstOrDefault() is { IsUnit: true };
        if (_isFresh)
            batch.Add(Savepoint);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        Restart(new Position((uint)reader.GetInt64(1), reader.GetInt64(0)));
        _now = settings.Clock.Read(reader.GetDecimal(2), reader.GetInt64(3));
        TransactionId = reader.GetInt64(4);
        ProcessId = reader.GetInt32(5);
        if (keys.Count > 0)
        {
            await reader.NextResultAsync();
            await ReadAnswersAsync(reader);
        }
        // To the end: an error of a later statement is told there.
        while (await reader.NextResultAsync()) { }
        _hasSavepoint = _isFresh;
    }

    /// <summary>Looks up the answers that were given to these keys.</summary>
    public async Task FindAnswersAsync(IReadOnlyCollection<IdempotencyKey> keys)
    {
        await using var batch = new NpgsqlBatch(connection);
        AddLookUp(batch, [.. keys.Distinct()]);
        await using var reader = await batch.ExecuteReaderAsync();
        await ReadAnswersAsync(reader);
    }

    // Plain appends run no statement of their own. A unit of work lets go of the savepoint of the one before.
    public override async ValueTask BeginRequestAsync(WriteRequest request)
    {
        if (!request.IsUnit)
            return;
        if (_isFresh)
        {
            _isFresh = false;
            return;
        }
        await using var batch = new NpgsqlBatch(connection);
        if (_hasSavepoint)
            batch.Add(Release);
        batch.Add(Savepoint);
        _hasSavepoint = true;
        await batch.ExecuteNonQueryAsync();
    }

    public override ValueTask EndRequestAsync(WriteRequest request) => default;

    public override async ValueTask RollBackRequestAsync(WriteRequest request, Mark mark)
    {
        TakeBack(mark);
        if (!request.IsUnit)
            return;
        await using var command = connection.Command(RollbackTo);
        await command.ExecuteNonQueryAsync();
    }

    public override IUnitLimit StartLimit(CancellationToken caller) => new UnitLimit(settings.WriteLimit, settings.Time, caller);

    public override async ValueTask<long> NextFencingTokenAsync(CancellationToken cancellationToken)
    {
        await using var command = connection.Command(NextFence);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
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

    /// <summary>Inserts what was appended and commits. Where this throws because the connection was lost, the outcome is unknown.</summary>
    public async Task CommitAsync()
    {
        await using var batch = new NpgsqlBatch(connection);
        if (_hasSavepoint)
            batch.Add(Release);
        var added = topics.Missing(Events);
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
        topics.Add(added);
        await _transaction!.DisposeAsync();
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

    private void AddEvents(NpgsqlBatch batch) =>
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
            Statements.Number(Events[0].Time.ToUnixTimeMilliseconds())
        );

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

/// <summary>What every transaction of the writer is given.</summary>
internal sealed record WriterSettings(DatabaseClock Clock, TimeSpan WriteLimit, TimeSpan Patience, TimeProvider Time)
{
    /// <summary>How long to wait for the lock: others may have long work, and one of them may have to be disconnected first.</summary>
    public TimeSpan LockTimeout => 2 * IdleTimeout;

    public TimeSpan StatementTimeout => 4 * IdleTimeout;

    /// <summary>
    /// How long a transaction of the writer may be idle before the server ends it: a unit of work may be for its whole limit.
    /// </summary>
    public TimeSpan IdleTimeout => WriteLimit + TimeSpan.FromSeconds(1);
}

/// <summary>
/// Topics that are known to be in the database, because a commit put them there or found them. Bounded. Used by one at a time.
/// </summary>
internal sealed class KnownTopics
{
    /// <summary>Some ten MiB; beyond, they are looked up again.</summary>
    private const int MaxKnown = 65_536;

    private readonly HashSet<TopicName> _known = [];

    public IReadOnlyCollection<TopicName> Missing(IReadOnlyList<DunlinEvent> events)
    {
        HashSet<TopicName>? missing = null;
        foreach (var entry in events)
        {
            if (!_known.Contains(entry.Topic))
                (missing ??= []).Add(entry.Topic);
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
