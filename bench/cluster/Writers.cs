using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Dunlin.Diagnostics;
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
        using var groups = new Groups();
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

    /// <summary>Measures the number of requests per commit.</summary>
    private sealed class Groups : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _commits;
        private long _requests;

        public Groups()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == DunlinMeters.Journal && instrument.Name == "dunlin.journal.batch.requests")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<int>(
                (_, requests, _, _) =>
                {
                    Interlocked.Increment(ref _commits);
                    Interlocked.Add(ref _requests, requests);
                }
            );
        }

        public double Mean => (double)_requests / Math.Max(1, _commits);

        public void Begin() => _listener.Start();

        public void Dispose() => _listener.Dispose();
    }
}
