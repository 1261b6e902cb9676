// Measures several nodes without HTTP, on a PostgreSQL (synchronous_commit and fsync on) and a Redis that it starts.
//   dotnet run -c Release --project bench/cluster
//   dotnet run -c Release --project bench/cluster -- writers                    appends of one, two and three nodes at once
//   dotnet run -c Release --project bench/cluster -- sql [SECONDS]              transactions that publish by SQL, and their delay
//   dotnet run -c Release --project bench/cluster -- watch [ROUNDS]             statements on a watched table, and on the same unwatched
//   dotnet run -c Release --project bench/cluster -- first-pull [RECORDS]       pages of tables that PostgreSQL has never analysed
//   dotnet run -c Release --project bench/cluster -- node-cost [NODES [EVENTS]] cost of an event per node, while nodes are added
//   dotnet run -c Release --project bench/cluster -- node-death [READERS]       effect of a node's end on its readers
//   dotnet run -c Release --project bench/cluster -- many-readers [READERS]     more streams than one process may have files
#pragma warning disable MA0047 // one file, top-level statements
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dunlin.Bench.Cluster;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

if (args is ["node-death", ..])
    return await NodeDeath.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5_000);
if (args is ["many-readers", ..])
    return await ManyReaders.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 50_000);
if (args is ["hold", var port, var count])
    return await ManyReaders.HoldAsync(int.Parse(port, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture));
if (args is ["node-cost", ..])
    return await NodeCost.RunAsync(
        args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 4,
        args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 4_000
    );
const int rounds = 5;
await using var postgres = await PostgresServer.StartNewAsync(isDurable: true);
await using var redis = await RedisServer.StartNewAsync();
var data = new byte[200];
Array.Fill(data, (byte)'x');
(data[0], data[^1]) = ((byte)'"', (byte)'"');
if (args is ["writers"])
{
    await new Writers(() => StartAsync(withRedis: false), StopAsync, data).RunAsync();
    return 0;
}
if (args is ["sql", ..])
{
    using var one = await StartAsync(withRedis: false);
    using var other = await StartAsync(withRedis: false);
    await new SqlPublishers(postgres, one, other, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 20).RunAsync();
    await StopAsync(one);
    await StopAsync(other);
    return 0;
}
if (args is ["first-pull", ..])
{
    using var one = await StartAsync(withRedis: false);
    await new FirstPull(postgres, one, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100_000).RunAsync();
    await StopAsync(one);
    return 0;
}
if (args is ["watch", ..])
{
    using var one = await StartAsync(withRedis: false);
    await new WatchedTable(postgres, one, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 15).RunAsync();
    await StopAsync(one);
    return 0;
}

using (var node = await StartAsync(withRedis: false))
{
    var journal = node.Services.GetRequiredService<IJournal>();
    var leases = node.Services.GetRequiredService<LeaseService>();
    await MeasureAsync("durable appends, one node, 1 publisher", 1, 1_000, (w, _) => journal.AppendAsync(Draft(w)).AsTask());
    await MeasureAsync("durable appends, one node, 64 publishers", 64, 600, (w, _) => journal.AppendAsync(Draft(w)).AsTask());
    await MeasureAsync("lease cycles (acquire + release), one node, 64 holders", 64, 40, (w, _) => CycleAsync(leases, w));
    using var second = await StartAsync(withRedis: false);
    IJournal[] both = [journal, second.Services.GetRequiredService<IJournal>()];
    await MeasureAsync("durable appends, two nodes, 32 publishers each", 64, 600, (w, _) => both[w % 2].AppendAsync(Draft(w)).AsTask());
    await LatencyAsync("PostgreSQL alone", node, second);
    await StopAsync(second);
    await StopAsync(node);
}
using (var node = await StartAsync(withRedis: true))
{
    using var second = await StartAsync(withRedis: true);
    await LatencyAsync("with Redis", node, second);
    await StopAsync(second);
    await StopAsync(node);
}
return 0;

async Task<IHost> StartAsync(bool withRedis)
{
    var builder = Host.CreateEmptyApplicationBuilder(null);
    builder.Logging.ClearProviders();
    var dunlin = builder.Services.AddDunlinCore().AddPostgres(postgres.ConnectionString);
    if (withRedis)
        dunlin.AddRedisBackplane(redis.Endpoint);
    builder.Services.AddSingleton<Arrivals>();
    var host = builder.Build();
    _ = host.Services.GetRequiredService<Arrivals>();
    await host.StartAsync();
    return host;
}

static async Task StopAsync(IHost host)
{
    await host.StopAsync();
    await ((IAsyncDisposable)host).DisposeAsync();
}

EventDraft Draft(int publisher) =>
    new(TopicName.Parse("bench/" + (publisher % 16).ToString(CultureInfo.InvariantCulture)), "bench.event", data);

static async Task CycleAsync(LeaseService leases, int worker)
{
    var resource = ResourceName.Parse("bench/" + worker.ToString(CultureInfo.InvariantCulture));
    var id = "lease-of-worker-" + worker.ToString(CultureInfo.InvariantCulture);
    await leases.AcquireAsync(new LeaseRequest(resource, id, new LeaseOwner("u", "U"), LeaseDuration.FromSeconds(30)));
    await leases.ReleaseAsync(new LeaseClaim(resource, id, "u"));
}

static async Task MeasureAsync(string name, int workers, int each, Func<int, int, Task> work)
{
    var rates = new List<double>();
    for (var round = 0; round <= rounds; round++)
    {
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, workers)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < each; i++)
                            await work(w, i);
                    })
                )
        );
        if (round > 0) // round 0 is the warm-up
            rates.Add(workers * each / watch.Elapsed.TotalSeconds);
    }
    rates.Sort();
    Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{name, -60} {rates[rounds / 2], 10:0}/s   ({rates[0]:0} to {rates[^1]:0})")
    );
}

// Measures from the publish call at one node to the delivery to the connections of the other.
async Task LatencyAsync(string name, IHost from, IHost to)
{
    var (journal, arrivals) = (from.Services.GetRequiredService<IJournal>(), to.Services.GetRequiredService<Arrivals>());
    var (all, commits) = (new List<double>(), new List<double>());
    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
    for (var i = 0; i < 440; i++)
    {
        await timer.WaitForNextTickAsync();
        var began = Stopwatch.GetTimestamp();
        var position = await journal.AppendAsync(new EventDraft(Arrivals.Topic, "bench.event", data));
        var committed = Stopwatch.GetElapsedTime(began);
        var arrived = await arrivals.WhenAsync(position.Offset);
        if (i < 40) // warm-up
            continue;
        commits.Add(committed.TotalMilliseconds);
        all.Add(Stopwatch.GetElapsedTime(began, arrived).TotalMilliseconds);
    }
    all.Sort();
    commits.Sort();
    Console.WriteLine(
        string.Create(
            CultureInfo.InvariantCulture,
            $"publish to another node, {name, -34} p50 {all[all.Count / 2], 6:0.00} ms, p99 {all[all.Count * 99 / 100], 6:0.00} ms (its commit: p50 {commits[commits.Count / 2]:0.00} ms, p99 {commits[commits.Count * 99 / 100]:0.00} ms)"
        )
    );
}

/// <summary>Records when events arrive at a node.</summary>
internal sealed class Arrivals
{
    public static readonly TopicName Topic = TopicName.Parse("bench/latency");

    private readonly ConcurrentDictionary<long, TaskCompletionSource<long>> _arrived = new();

    public Arrivals(EventFanout fanout) =>
        fanout.EventsOf(Topic).Subscribe(entry => At(entry.Position.Offset).TrySetResult(Stopwatch.GetTimestamp()));

    public Task<long> WhenAsync(long offset) => At(offset).Task;

    private TaskCompletionSource<long> At(long offset) =>
        _arrived.GetOrAdd(offset, static _ => new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
}
