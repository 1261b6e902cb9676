using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Bench.Cluster;

/// <summary>Measures the cost of an event for a node without readers of it and without its publisher, while nodes are added.</summary>
internal static class NodeCost
{
    private const int Publishers = 8;

    /// <summary>PostgreSQL updates its statistics with a delay of one second.</summary>
    private static readonly TimeSpan StatisticsDelay = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(int maxNodes, int events)
    {
        await using var postgres = await PostgresServer.StartNewAsync(isDurable: true);
        await using var redis = await RedisServer.StartNewAsync();
        foreach (var withRedis in new[] { false, true })
        {
            for (var nodes = 1; nodes <= maxNodes; nodes++)
                await MeasureAsync(nodes, events, withRedis ? [postgres.ConnectionString, redis.Endpoint] : [postgres.ConnectionString]);
        }
        return 0;
    }

    private static async Task MeasureAsync(int nodes, int events, string[] store)
    {
        var ports = Enumerable.Range(0, nodes).Select(_ => ServerProcess.FreePort()).ToList();
        var processes = ports.Select(port => BenchNode.Start(port, store)).ToList();
        var clients = ports.Select(BenchNode.Client).ToList();
        try
        {
            foreach (var client in clients)
                await BenchNode.WaitAsync(client);
            await PublishAsync(clients[0], events / 4); // warm-up
            var transactions = await TransactionsAsync(store[0]);
            var before = processes.Select(Cpu).ToList();
            await PublishAsync(clients[0], events);
            foreach (var client in clients)
                await BenchNode.WaitAsync(client);
            var cost = processes.Select((process, i) => (Cpu(process) - before[i]).TotalMicroseconds / events).ToList();
            transactions = await TransactionsAsync(store[0]) - transactions;
            var others = nodes > 1 ? cost.Skip(1).Average().ToString("0", CultureInfo.InvariantCulture) + " us at each other node" : "";
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(store.Length > 1 ? "with Redis" : "PostgreSQL alone"), -18} {nodes} nodes: {cost[0]:0} us of CPU an event where it is published, {others}; {(double)transactions / events:0.00} transactions of the database"
                )
            );
        }
        finally
        {
            processes.ForEach(process => process.Kill());
            clients.ForEach(client => client.Dispose());
        }
    }

    private static async Task<long> TransactionsAsync(string connectionString)
    {
        await Task.Delay(StatisticsDelay, TimeProvider.System);
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()",
            connection
        );
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static TimeSpan Cpu(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    private static Task PublishAsync(HttpClient http, int events) =>
        Task.WhenAll(
            Enumerable
                .Range(0, Publishers)
                .Select(async publisher =>
                {
                    for (var i = 0; i < events / Publishers; i++)
                    {
                        using var body = new StringContent(
                            $$"""{"topic":"cost/{{publisher}}","type":"m","data":"{{new string('x', 198)}}"}""",
                            Encoding.UTF8,
                            "application/json"
                        );
                        using var answer = await http.PostAsync("/dunlin/v1/events", body);
                        answer.EnsureSuccessStatusCode();
                    }
                })
        );
}
