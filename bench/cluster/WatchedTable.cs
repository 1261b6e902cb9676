using System.Diagnostics;
using System.Globalization;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Dunlin.Bench.Cluster;

/// <summary>Measures statements on a watched table of 10 columns and three indexes beside the same statements on an unwatched copy, in
/// turns, and the time until the node has moved their events.</summary>
internal sealed class WatchedTable(PostgresServer postgres, IHost node, int rounds)
{
    private const int Rows = 10_000;

    public async Task RunAsync()
    {
        await node.Services.GetRequiredService<Postgres.PostgresStore>().InstallSqlAsync();
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync();
        foreach (var table in (string[])["plain", "watched"])
        {
            await RunAsync(
                connection,
                $"""
                CREATE TABLE {table} (id BIGINT PRIMARY KEY, customer INT NOT NULL, status TEXT NOT NULL, total NUMERIC(12, 2) NOT NULL,
                    currency TEXT NOT NULL DEFAULT 'EUR', note TEXT, created TIMESTAMPTZ NOT NULL DEFAULT now(),
                    updated TIMESTAMPTZ NOT NULL DEFAULT now(), is_paid BOOLEAN NOT NULL DEFAULT false, address TEXT);
                CREATE INDEX ON {table} (customer); CREATE INDEX ON {table} (status);
                """
            );
        }
        foreach (var arguments in (string[])["", ", columns => ARRAY['status', 'total']", ", data => 'old_and_new'"])
        {
            await RunAsync(connection, $"SELECT dunlin.watch('watched', topic => 'orders/{"{id}"}'{arguments})");
            Console.WriteLine(arguments.Length > 0 ? arguments[2..] : "all columns");
            await CompareAsync(
                connection,
                "insert of 10,000 rows",
                "TRUNCATE {0}",
                $"INSERT INTO {"{0}"} (id, customer, status, total, note, address) SELECT i, i % 1000, 'open', i * 1.25, 'note of order ' || i, "
                    + $"'Some Street ' || i || ', 12345 Town' FROM generate_series(1, {Rows}) AS i"
            );
            await CompareAsync(
                connection,
                "update of 10,000 rows",
                "VACUUM {0}",
                "UPDATE {0} SET status = status || 'x', total = total + 1"
            );
            await CompareAsync(
                connection,
                "100 updates of one row",
                "VACUUM {0}",
                string.Concat(Enumerable.Range(1, 100).Select(i => $"UPDATE {"{0}"} SET status = 'paid' || random() WHERE id = {i * 37};"))
            );
        }
    }

    private async Task CompareAsync(NpgsqlConnection connection, string name, string prepare, string statement)
    {
        var times = new Dictionary<string, List<double>> { ["plain"] = [], ["watched"] = [] };
        var moved = new List<double>();
        for (var round = -2; round < rounds; round++)
        {
            foreach (var (table, list) in times)
            {
                await RunAsync(connection, string.Format(CultureInfo.InvariantCulture, prepare, table));
                await DrainAsync(connection);
                var watch = Stopwatch.StartNew();
                await RunAsync(connection, string.Format(CultureInfo.InvariantCulture, statement, table));
                var time = watch.Elapsed.TotalMilliseconds;
                await DrainAsync(connection);
                if (round < 0)
                    continue;
                list.Add(time);
                if (table == "watched")
                    moved.Add(watch.Elapsed.TotalMilliseconds - time);
            }
        }
        var ratios = times["watched"].Zip(times["plain"], (watched, plain) => watched / plain).ToList();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  {name, -24} {Median(times["plain"]), 7:0.0} ms, watched {Median(times["watched"]), 7:0.0} ms: {Median(ratios):0.00} x "
                    + $"({ratios.Min():0.00} to {ratios.Max():0.00}); moved {Median(moved):0} ms later"
            )
        );
    }

    /// <summary>Waits until the node has moved all events.</summary>
    private static async Task DrainAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM dunlin_outbox)", connection);
        while ((bool)(await command.ExecuteScalarAsync())!)
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
