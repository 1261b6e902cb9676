using System.Diagnostics;
using System.Globalization;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Bench.Cluster;

/// <summary>Measures durable appends of several nodes at once on one PostgreSQL, and the number of requests per commit.</summary>
internal sealed class Writers(Func<Task<IHost>> start, Func<IHost, Task> stop, byte[] data)
{
    private const int Publishers = 64;
    private const int Each = 400;
    private const int Rounds = 5;

    public async Task RunAsync()
    {
        foreach (var count in new[] { 1, 2, 3 })
        {
            var nodes = new List<IHost>();
            for (var i = 0; i < count; i++)
                nodes.Add(await start());
            await MeasureAsync([.. nodes.Select(node => node.Services.GetRequiredService<IJournal>())]);
            foreach (var node in nodes)
            {
                await stop(node);
                node.Dispose();
            }
        }
    }

    private async Task MeasureAsync(IJournal[] nodes)
    {
        var rates = new List<double>();
        using var groups = new CommitSizes();
        for (var round = 0; round <= Rounds; round++)
        {
            if (round == 1) // round 0 is the warm-up
                groups.Begin();
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(
                Enumerable
                    .Range(0, Publishers)
                    .Select(w =>
                        Task.Run(async () =>
                        {
                            for (var i = 0; i < Each; i++)
                                await nodes[w % nodes.Length]
                                    .AppendAsync(
                                        new EventDraft(
                                            TopicName.Parse("bench/" + (w % 16).ToString(CultureInfo.InvariantCulture)),
                                            "bench.event",
                                            data
                                        )
                                    );
                        })
                    )
            );
            if (round > 0)
                rates.Add(Publishers * Each / watch.Elapsed.TotalSeconds);
        }
        rates.Sort();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"durable appends, {nodes.Length} nodes, {Publishers} publishers in all {rates[Rounds / 2], 10:0}/s   ({rates[0]:0} to {rates[^1]:0}), {groups.Mean:0.0} to a commit"
            )
        );
    }
}
