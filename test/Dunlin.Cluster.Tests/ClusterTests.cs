using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Dunlin.Cluster.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Cluster.Tests;

/// <summary>
/// The guarantees for several nodes, with the shipped host: real processes, PostgreSQL, Redis and nginx, and failures of each of them.
/// </summary>
public sealed class ClusterTests(ITestOutputHelper output)
{
    private const int Users = 20;
    private const int DevicesPerUser = 5;
    private const int Contenders = 6;

    private readonly ConcurrentDictionary<string, long> _acknowledged = new(StringComparer.Ordinal);
    private long _stopWriting;

    [Fact]
    public async Task G1_to_G6_hold_during_node_database_and_network_failures()
    {
        TestSeed.NewRandom(out var seed);
        var users = Enumerable.Range(0, Users).Select(i => $"u{i:00}").ToList();
        await using var site = await Site.StartAsync(users);
        var clients = await Task.WhenAll(users.Select(site.SignInAsync));
        using var admin = await site.SignInAsync("alice");
        using var stop = new CancellationTokenSource();
        var readers = users
            .SelectMany(
                (user, i) => Enumerable.Range(0, DevicesPerUser).Select(d => new DeviceReader(clients[i], user, $"{user}-device-{d}"))
            )
            .ToList();
        var reading = readers.Select(reader => Task.Run(() => reader.RunAsync(stop.Token))).ToArray();
        await Task.WhenAll(readers.Select(reader => reader.Connected)).WaitAsync(TimeSpan.FromSeconds(60));

        var holds = new ConcurrentBag<Hold>();
        var writing = users.Select((user, i) => Task.Run(() => WriteAsync(clients[i], user))).ToArray();
        var contending = Enumerable
            .Range(0, Contenders)
            .Select(i => Task.Run(() => new LeaseContender(admin, $"w{i}", holds).RunAsync(new Random(seed + i), stop.Token)))
            .ToArray();
        try
        {
            await WhenAsync(() => _acknowledged.Count > 200, "the first acknowledgements");
            await TakeAwayAsync(site, new Random(seed));
            var before = _acknowledged.Count;
            await WhenAsync(() => _acknowledged.Count > before + 200, "acknowledgements after everything came back");
            Interlocked.Exchange(ref _stopWriting, 1);
            await Task.WhenAll(writing).WaitAsync(TimeSpan.FromSeconds(60));
            await WhenAsync(() => Behind(readers).Count == 0, "every reader to catch up");
        }
        catch (TimeoutException)
        {
            foreach (var reader in Behind(readers).Take(5))
                output.WriteLine($"behind: {reader.User} at {reader.Last}, {reader.Connections} connections, last end '{reader.LastEnd}'");
            foreach (var node in site.Nodes)
                output.WriteLine($"--- node {node.Name}\n{node.Output}");
            throw;
        }
        finally
        {
            Interlocked.Exchange(ref _stopWriting, 1);
            await stop.CancelAsync();
            await Task.WhenAll([.. writing, .. reading, .. contending]).WaitAsync(TimeSpan.FromSeconds(60));
        }
        Verify(readers, holds, seed);
        foreach (var client in clients)
            client.Dispose();
    }

    private void Verify(List<DeviceReader> readers, ConcurrentBag<Hold> holds, int seed)
    {
        var lost = 0;
        foreach (var reader in readers)
        {
            var seen = reader.Seen.ToHashSet();
            lost += _acknowledged.Count(a =>
                a.Key.StartsWith(reader.User + "-", StringComparison.Ordinal) && !seen.Contains((a.Value, a.Key))
            );
            // A task is created exactly once, however often the request was repeated.
            lost += seen.Count - seen.Select(s => s.Id).Distinct(StringComparer.Ordinal).Count();
        }
        var conflicts = LeaseContender.Conflicts(holds);
        var (duplicated, reordered, wrong) = (readers.Sum(r => r.Duplicated), readers.Sum(r => r.Reordered), readers.Sum(r => r.WrongUser));
        var summary = string.Create(
            CultureInfo.InvariantCulture,
            $"DUNLIN_SEED={seed} acknowledged {_acknowledged.Count}, delivered {readers.Sum(r => r.Seen.Count)} over {readers.Sum(r => r.Connections)} connections, holds {holds.Count}: "
                + $"lost {lost}, duplicated {duplicated}, reordered {reordered}, wrong user {wrong}, two holders {conflicts.Count}"
        );
        output.WriteLine(summary);
        Console.WriteLine(summary);
        foreach (var conflict in conflicts)
            output.WriteLine(conflict);
        Assert.Equal((0, 0, 0, 0, 0, 0), (lost, duplicated, reordered, wrong, conflicts.Count, readers.Sum(r => r.Resets)));
        Assert.True(holds.Count > 20, $"only {holds.Count} holds");
    }

    /// <summary>Causes every failure once, in an order of the seed, long enough to have an effect and with a pause after it.</summary>
    private static async Task TakeAwayAsync(Site site, Random random)
    {
        Func<Task>[] faults =
        [
            () => KillAsync(site.Nodes[0]),
            () => KillAsync(site.Nodes[random.Next(1, 3)]),
            async () =>
            {
                await site.Redis.StopAsync();
                await PassAsync(2);
                await site.Redis.StartAsync();
            },
            async () =>
            {
                await site.Redis.TrySendAsync("FLUSHALL");
                await site.Redis.TrySendAsync("CLIENT KILL TYPE pubsub");
            },
            async () =>
            {
                await site.Postgres.StopAsync("QUIT");
                await PassAsync(1);
                await site.Postgres.StartAsync();
            },
            async () =>
            {
                // Far longer than a lease (3 s) and than PostgreSQL allows an idle transaction (6 s).
                var node = site.Nodes[random.Next(3)];
                await node.PauseAsync();
                await PassAsync(30);
                await node.ContinueAsync();
            },
            async () =>
            {
                for (var i = 0; i < 6; i++)
                {
                    site.Lines[random.Next(3)].Cut();
                    await PassAsync(0.3);
                }
            },
            async () =>
            {
                var line = site.Lines[random.Next(3)];
                line.Block();
                await PassAsync(3);
                line.Restore();
            },
        ];
        random.Shuffle(faults);
        foreach (var fault in faults)
        {
            await fault();
            await PassAsync(1);
        }
    }

    private static async Task KillAsync(ClusterNode node)
    {
        await node.KillAsync();
        await node.StartAsync();
    }

    /// <summary>
    /// Creates tasks one after the other, each with a client-chosen id. Repeats a request without an answer, because its outcome is
    /// unknown.
    /// </summary>
    private async Task WriteAsync(HttpClient client, string user)
    {
        for (var i = 0; Interlocked.Read(ref _stopWriting) == 0; i++)
        {
            var id = $"{user}-{i:00000}";
            while (!_acknowledged.ContainsKey(id))
            {
                try
                {
                    using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
                    using var answer = await client.PostAsJsonAsync(
                        "/api/tasks",
                        new
                        {
                            id,
                            title = id,
                            deviceId = $"{user}-device-0",
                        },
                        limit.Token
                    );
                    if (answer.IsSuccessStatusCode)
                        _acknowledged[id] = (await answer.Content.ReadFromJsonAsync<JsonElement>(limit.Token))
                            .GetProperty("version")
                            .GetInt64();
                }
                catch (Exception error) when (error is HttpRequestException or SocketException or IOException or OperationCanceledException)
                {
                    await PassAsync(0.05);
                }
            }
            await PassAsync(0.05);
        }
    }

    private List<DeviceReader> Behind(List<DeviceReader> readers)
    {
        var last = _acknowledged
            .GroupBy(a => a.Key[..3], StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Max(a => a.Value), StringComparer.Ordinal);
        return [.. readers.Where(reader => last.TryGetValue(reader.User, out var offset) && reader.Last < offset)];
    }

    private static Task PassAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, CancellationToken.None);

    private static async Task WhenAsync(Func<bool> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(60))
                throw new TimeoutException($"Waited in vain for {what}.");
            await PassAsync(0.05);
        }
    }
}
