using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json.Nodes;
using Dunlin.Records;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Replicache.Tests;

public sealed class PullCostTests
{
    // PostgreSQL stores each record in a round trip of its own.
    private static readonly int Records = TestStore.IsPostgres ? 20_000 : 100_000;

    [Fact]
    public async Task A_pull_costs_in_proportion_to_changes()
    {
        await using var host = await ReplicacheHost.StartAsync();
        var space = ReplicacheHost.Space("big");
        await host.WriteAsync(records => records.GrantAsync(space, "ann"));
        for (var from = 0; from < Records; from += 5_000)
        {
            await host.WriteAsync(async records =>
            {
                for (var i = from; i < from + 5_000; i++)
                    await records.PutAsync(
                        space,
                        $"task/{i:000000}",
                        new
                        {
                            id = i,
                            title = $"Task number {i}",
                            done = false,
                        }
                    );
                return true;
            });
        }
        using var client = host.Client();
        var watch = Stopwatch.StartNew();
        var bytes = await PullAsync(client, null);
        var first = watch.Elapsed;
        var answer = JsonNode.Parse(bytes)!;
        Assert.Equal(Records, answer["patch"]!.AsArray().Count);

        var rows = new List<long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            // Other hosts of this process have an instrument with the same name.
            if (
                instrument.Name == "dunlin.replicache.pull.rows"
                && instrument.Meter.Scope == host.Services.GetRequiredService<IMeterFactory>()
            )
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>(
            (_, value, _, _) =>
            {
                lock (rows)
                    rows.Add(value);
            }
        );
        listener.Start();
        var cookie = answer["cookie"]!;
        answer = null;
        // Collect the test's own garbage from the first pull.
        GC.Collect();
        const int rounds = 200;
        var cpu = TimeSpan.Zero;
        for (var i = 0; i < rounds; i++)
        {
            await host.WriteAsync(records =>
                records.PutAsync(
                    space,
                    $"task/{i * 31:000000}",
                    new
                    {
                        id = i,
                        title = "changed",
                        done = true,
                    }
                )
            );
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            var pull = JsonNode.Parse(await PullAsync(client, cookie))!;
            cpu += Process.GetCurrentProcess().TotalProcessorTime - before;
            Assert.Single(pull["patch"]!.AsArray());
            cookie = pull["cookie"]!;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"first pull of {Records}: {first.TotalMilliseconds:0} ms, {bytes.Length / 1024.0 / 1024:0.0} MiB; then {cpu.TotalMilliseconds / rounds:0.00} ms of CPU a pull, client included"
        );
        lock (rows)
        {
            // One access row and one record.
            Assert.Equal(rounds, rows.Count);
            Assert.All(rows, count => Assert.InRange(count, 1, 3));
        }
    }

    private static async Task<byte[]> PullAsync(HttpClient client, JsonNode? cookie)
    {
        var body = new JsonObject
        {
            ["pullVersion"] = 1,
            ["clientGroupID"] = "g1",
            ["profileID"] = "p",
            ["schemaVersion"] = "1",
            ["cookie"] = cookie?.DeepClone(),
        };
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(ReplicacheHost.Base + "/pull", content);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync();
    }
}
