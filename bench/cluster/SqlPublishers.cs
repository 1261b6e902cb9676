using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Journal;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Dunlin.Bench.Cluster;

/// <summary>Measures programs that publish by SQL beside their own rows, with <c>pgbench</c>, and the delay from their commit to the
/// readers of another node.</summary>
internal sealed partial class SqlPublishers(PostgresServer postgres, IHost first, IHost second, int seconds)
{
    private const int Clients = 16;
    private const int Samples = 400;

    private const string Row = "WITH added AS (INSERT INTO bench_rows (value) VALUES (:value) RETURNING value)";

    public async Task RunAsync()
    {
        var store = first.Services.GetRequiredService<Postgres.PostgresStore>();
        await store.InstallSqlAsync();
        await ExecuteAsync("CREATE TABLE bench_rows (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value INT)");
        const string publish =
            $"{Row} SELECT dunlin.publish('bench/' || value % 16, 'bench.event', jsonb_build_object('value', value)) FROM added;";
        await RateAsync("own row only", $"{Row} SELECT value FROM added;", isPublishing: false);
        await RateAsync("own row and publish", publish, isPublishing: true);
        await LatencyAsync("at rest");
        await using var idle = new NpgsqlConnection(postgres.ConnectionString);
        await idle.OpenAsync();
        await using var transaction = await idle.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("SELECT dunlin.publish('bench/idle', 'bench.event')", idle, transaction))
            await command.ExecuteNonQueryAsync();
        await RateAsync("the same beside an idle transaction", publish, isPublishing: true);
        await LatencyAsync("beside an idle transaction");
        await transaction.CommitAsync();
    }

    private async Task RateAsync(string name, string script, bool isPublishing)
    {
        var journal = second.Services.GetRequiredService<IJournal>();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "\\set value random(1, 1000000)\n" + script);
        try
        {
            foreach (var round in (string[])["warm-up", name])
            {
                var before = (await journal.ReadHeadAsync(CancellationToken.None)).Offset;
                var output = await PgbenchAsync(file, round == "warm-up" ? 5 : seconds);
                var count = long.Parse(Processed().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
                var rate = double.Parse(Rate().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
                var watch = Stopwatch.StartNew();
                while (isPublishing && (await journal.ReadHeadAsync(CancellationToken.None)).Offset < before + count)
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                if (round != "warm-up")
                {
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{name, -40} {rate, 8:0} transactions/s; all events moved {watch.ElapsedMilliseconds} ms after the last"
                        )
                    );
                }
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private async Task LatencyAsync(string name)
    {
        var arrivals = second.Services.GetRequiredService<Arrivals>();
        var journal = second.Services.GetRequiredService<IJournal>();
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT dunlin.publish('{Arrivals.Topic}', 'bench.event')", connection);
        await command.PrepareAsync();
        var delays = new List<double>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        for (var i = -40; i < Samples; i++)
        {
            await timer.WaitForNextTickAsync();
            var next = (await journal.ReadHeadAsync(CancellationToken.None)).Offset + 1;
            await command.ExecuteNonQueryAsync();
            var committed = Stopwatch.GetTimestamp();
            var arrived = await arrivals.WhenAsync(next);
            if (i >= 0)
                delays.Add(Math.Max(0, Stopwatch.GetElapsedTime(committed, arrived).TotalMilliseconds));
        }
        delays.Sort();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"commit to a reader at another node, {name, -26} p50 {delays[Samples / 2]:0.00} ms, p99 {delays[Samples * 99 / 100]:0.00} ms"
            )
        );
    }

    private async Task<string> PgbenchAsync(string script, int time)
    {
        var start = new ProcessStartInfo("pgbench");
        string[] arguments =
        [
            "--no-vacuum",
            "--protocol=prepared",
            "--jobs=2",
            string.Create(CultureInfo.InvariantCulture, $"--client={Clients}"),
            string.Create(CultureInfo.InvariantCulture, $"--time={time}"),
            $"--file={script}",
            "--host=127.0.0.1",
            string.Create(CultureInfo.InvariantCulture, $"--port={postgres.Port}"),
            "--username=postgres",
            "postgres",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var result = await ServerProcess.RunAsync(start);
        return result.Code == 0 ? result.Output : throw new InvalidOperationException(result.Error);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex(@"actually processed: (\d+)")]
    private static partial Regex Processed();

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Rate();
}
