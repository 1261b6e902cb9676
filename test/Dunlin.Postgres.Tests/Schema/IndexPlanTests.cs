using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Dunlin.Journal;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Records;
using Dunlin.Relational.Records;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Tests.Schema;

/// <summary>The plans of statements that read pages of large tables which PostgreSQL has never analysed.</summary>
public sealed partial class IndexPlanTests : IAsyncLifetime
{
    private static readonly SpaceName Space = SpaceName.Parse("big/one");

    private Backend _backend = null!;
    private NpgsqlConnection _connection = null!;
    private readonly StringBuilder _plans = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.NewAsync();
        await _backend.OpenAsync();
        _connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_backend.ConnectionString) { Pooling = false }.ConnectionString
        );
        await _connection.OpenAsync(Cancellation);
        _connection.Notice += (_, e) => _plans.AppendLine(e.Notice.MessageText);
        await ExecuteAsync(
            """
            ALTER TABLE dunlin_record SET (autovacuum_enabled = false);
            ALTER TABLE dunlin_journal SET (autovacuum_enabled = false);
            ALTER TABLE dunlin_topic SET (autovacuum_enabled = false);
            INSERT INTO dunlin_record (space, key, version, created, value)
                SELECT 'big/one', to_char(i, 'FM000000'), i, i, '1' FROM generate_series(1, 20000) i;
            INSERT INTO dunlin_topic (name) SELECT 'many/' || i FROM generate_series(1, 500) i;
            INSERT INTO dunlin_journal ("offset", topic, type, data, time)
                SELECT i, (SELECT id FROM dunlin_topic WHERE name = 'many/1'), 't', '1', 1 FROM generate_series(1, 20000) i
            """
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Fact]
    public async Task A_page_of_records_scans_its_index_without_statistics()
    {
        var records = new RecordTable(() => new PostgresSession(_connection), isWritable: false);
        await ExplainAsync();
        var page = await records.ReadAsync(new RecordQuery(Space, 10_000, "010000", 100, "ann", LivingOnly: true), Cancellation);
        Assert.Equal([.. Enumerable.Range(10_001, 100).Select(i => (long)i)], page.Select(row => row.Version));
        Assert.Contains("Index Scan using dunlin_record_by_version", Plans, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", Plans, StringComparison.Ordinal);
        Assert.InRange(MostRows(), 100, 200);
    }

    [Fact]
    public async Task A_page_of_a_topic_scans_its_index_without_statistics()
    {
        await ExplainAsync();
        var (page, _) = await PageReader.ReadAsync(_connection, new JournalQuery(10_000, [TopicName.Parse("many/1")], 100), Cancellation);
        Assert.Equal([.. Enumerable.Range(10_001, 100).Select(i => (long)i)], page.Events.Select(e => e.Position.Offset));
        Assert.InRange(MostRows(), 100, 200);
    }

    [Theory]
    [InlineData("many/1")]
    [InlineData("many/*")]
    public async Task A_page_of_a_pattern_is_not_compiled_without_statistics(string pattern)
    {
        await ExplainAsync();
        var (page, _) = await PageReader.ReadAsync(
            _connection,
            new JournalQuery(10_000, [TopicName.Parse("other")], 100) { Patterns = [TopicPattern.Parse(pattern)] },
            Cancellation
        );
        Assert.Equal([.. Enumerable.Range(10_001, 100).Select(i => (long)i)], page.Events.Select(e => e.Position.Offset));
        Assert.DoesNotContain("Functions:", Plans, StringComparison.Ordinal);
        Assert.InRange(MostRows(), 100, PatternLimits.LookedAt);
    }

    [Fact]
    public async Task All_statements_that_page_in_order_have_index_plans()
    {
        var paged = PostgresSession.Dialect.Statements.Where(name => Paged().IsMatch(PostgresSession.Dialect[name])).Order().ToList();
        Assert.NotEmpty(paged);
        // A partial index has the streams to trim, in no order.
        paged.Add("stream_trim_due");
        Assert.Equal(paged.Order(StringComparer.Ordinal), IndexPlans.Statements.Order(StringComparer.Ordinal));
        await ExecuteAsync("SET plan_cache_mode = force_generic_plan");
        foreach (var name in paged)
        {
            var plan = await PlanAsync(name);
            Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Bitmap", plan, StringComparison.Ordinal);
            // Sorts the rows of one subscription by progress, for which there is no index.
            if (name is not "stream_links_pending")
                Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("on")]
    [InlineData("off")]
    public async Task The_settings_of_a_unit_are_those_of_the_application(string before)
    {
        var node = await _backend.OpenAsync();
        await node.WriteAsync(
            async (unit, ct) =>
            {
                var transaction = (NpgsqlTransaction)unit.Transaction;
                await using (var set = transaction.Connection!.CreateCommand())
                {
                    set.CommandText = $"SET LOCAL enable_bitmapscan = {before}; SET LOCAL jit = {before}";
                    await set.ExecuteNonQueryAsync(ct);
                }
                await unit.RecordTables().Records.ReadAsync(new RecordQuery(Space, 0, null, 10), ct);
                await using var show = transaction.Connection!.CreateCommand();
                show.CommandText =
                    "SELECT concat_ws(' ', " + string.Join(", ", Settings.Select(name => $"current_setting('{name}')")) + ")";
                Assert.Equal($"{before} on {before}", await show.ExecuteScalarAsync(ct));
            },
            Cancellation
        );
    }

    private static readonly string[] Settings = ["enable_bitmapscan", "enable_seqscan", "jit"];

    private string Plans => _plans.ToString();

    /// <summary>Logs the plan of each further statement of the connection, with the rows that each part returned.</summary>
    private async Task ExplainAsync() =>
        await ExecuteAsync(
            """
            LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
            SET auto_explain.log_level = notice
            """
        );

    private int MostRows() => ActualRows().Matches(Plans).Max(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    private async Task<string> PlanAsync(string name)
    {
        var text = PostgresSession.Dialect[name];
        var count = Parameter()
            .Matches(text)
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            .DefaultIfEmpty()
            .Max();
        var nulls = count == 0 ? "" : $"({string.Join(", ", Enumerable.Repeat("NULL", count))})";
        await using var transaction = await _connection.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(IndexPlans.Begin.Text);
        await ExecuteAsync($"PREPARE {name} AS {text}");
        await using var command = new NpgsqlCommand($"EXPLAIN EXECUTE {name} {nulls}", _connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var plan = new StringBuilder($"{name}:\n");
        while (await reader.ReadAsync(Cancellation))
            plan.AppendLine(reader.GetString(0));
        return plan.ToString();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    [GeneratedRegex(@"ORDER BY [^()]+\sLIMIT (\$\d|10 )")]
    private static partial Regex Paged();

    [GeneratedRegex(@"\$(\d+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"actual time=\S+ rows=(\d+)")]
    private static partial Regex ActualRows();
}
