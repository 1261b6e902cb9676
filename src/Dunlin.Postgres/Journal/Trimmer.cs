using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>
/// Retention on PostgreSQL: each slice is a transaction of its own that takes no lock of the writers, so nobody waits for it. Nodes that
/// trim at the same time do the same work twice, and no harm.
/// </summary>
internal sealed class Trimmer(PostgresStore store, RetentionOptions rules) : JournalTrimmer(rules)
{
    private static readonly SqlText TrimTopics = new("trim_topics");
    private static readonly SqlText TrimByAge = new("trim_by_age");
    private static readonly SqlText TrimBySize = new("trim_by_size");
    private static readonly SqlText TrimSlice = new("trim_slice");
    private static readonly SqlText ForgetIdempotency = new("forget_idempotency");

    protected override async ValueTask<(IReadOnlyList<(long Topic, long Through)> Cuts, long? Last)> FindCutsAsync(
        long after, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var topics = await ListAsync(after, cancellationToken);
        var cuts = new List<(long, long)>();
        foreach (var (id, name, head) in topics)
        {
            if (head > 0 && await CutAsync(id, head, Rules.For(name), now, cancellationToken) is > 0 and var cut)
                cuts.Add((id, cut));
        }
        return (cuts, topics.Count == TopicPage ? topics[^1].Id : null);
    }

    protected override async ValueTask<long> RemoveSliceAsync(long topic, long through, CancellationToken cancellationToken) =>
        await ScalarAsync(TrimSlice, cancellationToken, Statements.Number(topic), Statements.Number(through), Statements.Number(SliceSize)) ?? 0;

    protected override ValueTask<int> ForgetKeysAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        RunAsync(ForgetIdempotency, cancellationToken, Statements.Number(before.ToUnixTimeMilliseconds()), Statements.Number(SliceSize));

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
        if (!IsCounted(rule, head))
            return byAge;
        var bySize = await ScalarAsync(
            TrimBySize, cancellationToken, Statements.Number(topic), Statements.Number(rule.MaxCount ?? long.MaxValue), Statements.Number(rule.MaxBytes ?? long.MaxValue));
        return Math.Max(byAge, bySize ?? 0);
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
