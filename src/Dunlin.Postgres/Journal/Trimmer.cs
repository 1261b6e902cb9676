using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>
/// Retention. What has to go is found on a reader and removed in slices, each a transaction of its own that takes no lock of
/// the writers: nobody waits for it. From each topic only its oldest events go, and <c>trimmed_through</c> is moved in the
/// same statement: whether a reader has missed something of a topic is then one comparison. Nodes that trim at the same time
/// do the same work twice, and no harm.
/// </summary>
internal sealed class Trimmer(PostgresStore store, RetentionOptions rules)
{
    /// <summary>Events or keys removed in one go.</summary>
    internal const int SliceSize = 500;

    /// <summary>Topics looked at in one statement.</summary>
    private const int TopicPage = 200;

    private static readonly SqlText TrimTopics = new("trim_topics");
    private static readonly SqlText TrimByAge = new("trim_by_age");
    private static readonly SqlText TrimBySize = new("trim_by_size");
    private static readonly SqlText TrimSlice = new("trim_slice");
    private static readonly SqlText ForgetIdempotency = new("forget_idempotency");

    // Counting a topic costs as much as the topic keeps: done again only after something was appended to it.
    private long _countedThrough;

    /// <summary>Not for concurrent use.</summary>
    public async ValueTask<long> RunAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var head = store.Head.Offset;
        long removed = 0;
        for (long last = 0; ;)
        {
            var topics = await ListAsync(last, cancellationToken);
            foreach (var (id, name, topicHead) in topics)
            {
                var cut = topicHead == 0 ? 0 : await CutAsync(id, topicHead, rules.For(name), now, cancellationToken);
                if (cut > 0)
                    removed += await RemoveAsync(id, cut, cancellationToken);
            }
            if (topics.Count < TopicPage)
                break;
            last = topics[^1].Id;
        }
        _countedThrough = head;
        var before = (now - rules.IdempotencyAge).ToUnixTimeMilliseconds();
        while (await RunAsync(ForgetIdempotency, cancellationToken, Statements.Number(before), Statements.Number(SliceSize)) == SliceSize)
        {
            // Slice by slice.
        }
        return removed;
    }

    private ValueTask<List<(long Id, TopicName Name, long Head)>> ListAsync(long after, CancellationToken cancellationToken) =>
        store.QueryAsync(
            async (connection, ct) =>
            {
                await using var command = connection.Command(TrimTopics, Statements.Number(after), Statements.Number(TopicPage));
                await using var row = await command.ExecuteReaderAsync(ct);
                var topics = new List<(long, TopicName, long)>();
                while (await row.ReadAsync(ct))
                    topics.Add((row.GetInt64(0), TopicName.Parse(row.GetString(1)), row.GetInt64(2)));
                return topics;
            },
            cancellationToken);

    /// <summary>The offset through which the topic has to go; 0 for none.</summary>
    private async ValueTask<long> CutAsync(long topic, long head, RetentionRule rule, DateTimeOffset now, CancellationToken cancellationToken)
    {
        long byAge = 0;
        if (rule.MaxAge is { } age)
        {
            var young = await ScalarAsync(TrimByAge, cancellationToken, Statements.Number(topic), Statements.Number((now - age).ToUnixTimeMilliseconds()));
            byAge = young is { } offset ? offset - 1 : head;
        }
        if ((rule.MaxCount is null && rule.MaxBytes is null) || head <= _countedThrough)
            return byAge;
        var bySize = await ScalarAsync(
            TrimBySize, cancellationToken, Statements.Number(topic), Statements.Number(rule.MaxCount ?? long.MaxValue), Statements.Number(rule.MaxBytes ?? long.MaxValue));
        return Math.Max(byAge, bySize ?? 0);
    }

    private async ValueTask<long> RemoveAsync(long topic, long through, CancellationToken cancellationToken)
    {
        for (long removed = 0; ;)
        {
            var count = await ScalarAsync(TrimSlice, cancellationToken, Statements.Number(topic), Statements.Number(through), Statements.Number(SliceSize)) ?? 0;
            removed += count;
            if (count < SliceSize)
                return removed;
        }
    }

    private ValueTask<long?> ScalarAsync(SqlText sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) => store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(sql, parameters);
            return await command.ExecuteScalarAsync(ct) as long?;
        },
        cancellationToken);

    private ValueTask<int> RunAsync(SqlText sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) => store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(sql, parameters);
            return await command.ExecuteNonQueryAsync(ct);
        },
        cancellationToken);
}
