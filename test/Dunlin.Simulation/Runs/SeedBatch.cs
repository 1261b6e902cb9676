using System.Diagnostics;

namespace Dunlin.Simulation.Runs;

/// <summary>Runs many seeds, each on one of some threads.</summary>
internal sealed class SeedBatch
{
    private readonly Lock _gate = new(); // guards all below
    private readonly List<(int Seed, Exception Failure)> _failures = [];

    public int Done { get; private set; }

    public SimCounts Counts { get; private set; } = SimCounts.None;

    public IReadOnlyList<(int Seed, Exception Failure)> Failures => _failures;

    /// <summary>Runs the seeds from <paramref name="first"/> on, and reports about every five seconds.</summary>
    public static SeedBatch Run(int first, int count, int threads, Action<SeedBatch>? report = null) =>
        Run([.. Enumerable.Range(first, count).Select(static seed => new SimOptions(seed))], threads, report);

    /// <summary>Runs the given runs.</summary>
    public static SeedBatch Run(IReadOnlyList<SimOptions> runs, int threads, Action<SeedBatch>? report = null)
    {
        var batch = new SeedBatch();
        var next = -1;
        var reported = Stopwatch.StartNew();
        var workers = Enumerable
            .Range(0, threads)
            .Select(_ => new Thread(() =>
            {
                while (Interlocked.Increment(ref next) is var index && index < runs.Count)
                {
                    batch.Add(runs[index], Simulation.Run(runs[index]));
                    lock (batch._gate)
                    {
                        if (report is null || reported.Elapsed.TotalSeconds < 5)
                            continue;
                        reported.Restart();
                        report(batch);
                    }
                }
            }))
            .ToList();
        workers.ForEach(static worker => worker.Start());
        workers.ForEach(static worker => worker.Join());
        return batch;
    }

    private void Add(SimOptions options, SimResult result)
    {
        lock (_gate)
        {
            Done++;
            Counts += result.Counts;
            if (result.Failure is { } failure)
                _failures.Add((options.Seed, failure));
        }
    }
}
