using System.Diagnostics;
using System.Globalization;
using Dunlin.Journal;
using Dunlin.Postgres;
using Dunlin.Records;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Dunlin.Bench.Cluster;

/// <summary>Reads many records, and many events of one topic, page by page from tables that PostgreSQL has never analysed, and again after
/// ANALYZE. Compares the store with its bare statement, for which the planner is free.</summary>
internal sealed class FirstPull(PostgresServer postgres, IHost node, int records)
{
    private const int Rounds = 5;

    private readonly IStore _store = node.Services.GetRequiredService<IStore>();
    private readonly IJournal _journal = node.Services.GetRequiredService<IJournal>();

    public async Task RunAsync()
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync();
        await ExecuteAsync(
            connection,
            $"""
            ALTER TABLE dunlin_record SET (autovacuum_enabled = false); ALTER TABLE dunlin_journal SET (autovacuum_enabled = false);
            INSERT INTO dunlin_topic (name) VALUES ('many');
            INSERT INTO dunlin_record (space, key, version, created, value) SELECT 'list/big', 'task/' || to_char(i, 'FM000000'), i, i,
                convert_to(json_build_object('id', i, 'title', 'Task number ' || i, 'done', false)::text, 'UTF8')
                FROM generate_series(1, {records}) i;
            INSERT INTO dunlin_journal ("offset", topic, type, data, time)
                SELECT i, (SELECT id FROM dunlin_topic WHERE name = 'many'), 't', '1', 1 FROM generate_series(1, {records}) i
            """
        );
        foreach (var state in (string[])["never analysed", "analysed"])
        {
            for (var round = 0; round < Rounds; round++)
            {
                Report($"{state}: {records} records, bare statement", await TimeAsync(() => ReadBareAsync(connection)));
                Report($"{state}: {records} records, store", await TimeAsync(ReadRecordsAsync));
                Report($"{state}: {records} events of a topic, store", await TimeAsync(ReadTopicAsync));
            }
            await ExecuteAsync(connection, "ANALYZE dunlin_record, dunlin_journal");
        }
    }

    private static void Report(string name, (int Count, TimeSpan Time) read) =>
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{name, -60} {read.Time.TotalMilliseconds, 8:0} ms ({read.Count} rows)")
        );

    private static async Task<(int, TimeSpan)> TimeAsync(Func<Task<int>> read)
    {
        var began = Stopwatch.GetTimestamp();
        var count = await read();
        return (count, Stopwatch.GetElapsedTime(began));
    }

    private async Task<int> ReadRecordsAsync() =>
        await _store.ReadAsync(
            async (scope, ct) =>
            {
                var count = 0;
                RecordRow? last = null;
                while (true)
                {
                    var query = new RecordQuery(SpaceName.Parse("list/big"), last?.Version ?? 0, last?.Key, 1_000, "ann", LivingOnly: true);
                    var page = await scope.RecordTables().Records.ReadAsync(query, ct);
                    count += page.Count;
                    if (page.Count < 1_000)
                        return count;
                    last = page[^1];
                }
            }
        );

    private async Task<int> ReadTopicAsync()
    {
        var (count, after) = (0, 0L);
        while (true)
        {
            var page = await _journal.ReadAsync(new JournalQuery(after, [TopicName.Parse("many")], 1_000), CancellationToken.None);
            count += page.Events.Count;
            after = page.Through;
            if (!page.HasMore)
                return count;
        }
    }

    private static async Task<int> ReadBareAsync(NpgsqlConnection connection)
    {
        await using var resource = typeof(PostgresStore).Assembly.GetManifestResourceStream("Dunlin.Postgres.Statements.record_read.sql")!;
        var text = await new StreamReader(resource).ReadToEndAsync();
        var (count, version, key) = (0, 0L, "\U0010ffff");
        while (true)
        {
            await using var command = new NpgsqlCommand(text, connection);
            foreach (var value in (object[])["list/big", version, key, "ann", "", 1L, 1_000L])
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            var read = 0;
            await using (var row = await command.ExecuteReaderAsync())
            {
                while (await row.ReadAsync())
                {
                    (key, version) = (row.GetString(0), row.GetInt64(1));
                    _ = row.GetFieldValue<byte[]>(5);
                    read++;
                }
            }
            count += read;
            if (read < 1_000)
                return count;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
