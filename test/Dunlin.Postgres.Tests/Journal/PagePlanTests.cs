using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Postgres.Tests.Support;
using Npgsql;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>The rows that the statements of pages read.</summary>
public sealed class PagePlanTests
{
    private const int Limit = 100;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("page_all")]
    [InlineData("page_topics")]
    [InlineData("page_patterns")]
    public async Task A_page_reads_each_of_its_events_once(string statement)
    {
        await using var backend = await Backend.NewAsync();
        var node = await backend.OpenAsync();
        await node.AppendAsync([.. Enumerable.Range(0, 5 * Limit).Select(i => Backend.Draft("a/" + (i % 5)))], null, Cancellation);
        await Database.ExecuteAsync(backend.ConnectionString, "ANALYZE");
        await using var connection = new NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Cancellation);
        // The plan of a large journal: reading the whole table of this test would be cheaper.
        await using var settings = new NpgsqlCommand(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
            connection
        );
        await settings.ExecuteNonQueryAsync(Cancellation);
        await using var command = new NpgsqlCommand("EXPLAIN (ANALYZE, FORMAT JSON) " + new SqlText(statement).Text, connection);
        List<NpgsqlParameter> parameters = [Statements.Number(50), Statements.Number(Limit), Statements.Number(1_000_000)];
        if (statement != "page_all")
            parameters.Add(Statements.Texts(statement == "page_topics" ? ["a/1", "a/2"] : []));
        if (statement == "page_patterns")
        {
            parameters.Add(Statements.Texts(["a/"]));
            parameters.Add(Statements.Texts(["a0"]));
            parameters.Add(Statements.Texts(["^a/[^/]+$"]));
            parameters.Add(Statements.Number(PatternLimits.FewTopics));
            parameters.Add(Statements.Number(PatternLimits.LookedAt));
        }
        command.Parameters.AddRange(parameters.ToArray());
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(Cancellation))!);
        // One event more than the page shows whether there is another page; the head and the time are one row each.
        Assert.InRange(RowsOfJournal(plan.RootElement[0].GetProperty("Plan")), Limit + 1, Limit + 3);
    }

    [Fact]
    public async Task Retention_finds_the_events_of_topics_by_topic_with_old_statistics()
    {
        await using var backend = await Backend.NewAsync();
        var node = await backend.OpenAsync();
        await node.AppendAsync([.. Enumerable.Range(0, 1_000).Select(_ => Backend.Draft("a"))], null, Cancellation);
        await Database.ExecuteAsync(backend.ConnectionString, "ANALYZE");
        for (var i = 0; i < 20; i++)
            await node.AppendAsync(Backend.Draft("rare/" + i), Cancellation);
        await using var connection = new NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand("EXPLAIN (ANALYZE, TIMING OFF) " + PostgresSession.Dialect["trim_topics"], connection);
        command.Parameters.AddRange(new[] { Statements.Number(0), Statements.Number(200) });
        var plan = new List<string>();
        await using (var row = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await row.ReadAsync(Cancellation))
                plan.Add(row.GetString(0));
        }
        Assert.Equal(2, plan.Count(line => line.Contains("dunlin_journal_by_topic", StringComparison.Ordinal)));
        Assert.DoesNotContain(plan, line => line.Contains("dunlin_journal_pkey", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan on dunlin_journal", StringComparison.Ordinal));
    }

    /// <summary>Sums the rows of the journal that the plan reads from the table itself, not from an index alone.</summary>
    private static double RowsOfJournal(JsonElement node)
    {
        var rows = 0.0;
        if (node.TryGetProperty("Plans", out var children))
            rows = children.EnumerateArray().Sum(RowsOfJournal);
        return
            node.TryGetProperty("Relation Name", out var table)
            && table.GetString() == "dunlin_journal"
            && node.GetProperty("Node Type").GetString() != "Index Only Scan"
            ? rows + (node.GetProperty("Actual Rows").GetDouble() * node.GetProperty("Actual Loops").GetDouble())
            : rows;
    }
}
