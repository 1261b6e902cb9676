using System.Diagnostics;
using Dunlin.Fuzz.Coverage;

namespace Dunlin.Fuzz.Engine;

/// <summary>Figures of one target.</summary>
internal sealed record FuzzSummary(string Target, long Executions, TimeSpan Time, CoverageMap Map, int Corpus, int Findings);

/// <summary>Runs one target: first its corpus, then mutations of all inputs that reached something new. Not thread-safe.</summary>
internal sealed class FuzzRunner(FuzzTarget target, Corpus corpus, FindingStore findings, int seed)
{
    private const int MaxFindings = 10;

    // Long, because the machine may be busy. Code that hangs never returns.
    private static readonly TimeSpan InputLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    private readonly CoverageMap _map = CoverageMap.Load();
    private readonly List<byte[]> _inputs = [];
    private readonly Stopwatch _watch = new();
    private long _executions;
    private int _found;

    /// <summary>Gets the inputs that reached something new, those of the corpus first.</summary>
    public IReadOnlyList<byte[]> Inputs => _inputs;

    public CoverageMap Map => _map;

    /// <param name="time">The time for mutations. Zero runs the corpus only.</param>
    public async Task<FuzzSummary> RunAsync(TimeSpan time)
    {
        using var watchdog = new Watchdog(
            InputLimit,
            input => findings.Add(target.Name, input, "hang", $"no end within {InputLimit.TotalSeconds} s")
        );
        _watch.Start();
        foreach (var input in corpus.Read())
        {
            if (await TryAsync(watchdog, input))
                _inputs.Add(input);
        }
        var mutator = new Mutator(target, new Random(seed));
        var progress = _watch.Elapsed + ProgressInterval;
        var end = _watch.Elapsed + time;
        while (_watch.Elapsed < end && _found < MaxFindings)
        {
            var input = mutator.Next(_inputs);
            if (await TryAsync(watchdog, input))
                _inputs.Add(input);
            if (_watch.Elapsed < progress)
                continue;
            progress += ProgressInterval;
            Print();
        }
        Print();
        return new FuzzSummary(target.Name, _executions, _watch.Elapsed, _map, _inputs.Count, _found);
    }

    /// <summary>Runs one input.</summary>
    /// <returns>The fault; null if there is none.</returns>
    public static async ValueTask<Exception?> FaultOfAsync(FuzzTarget target, byte[] input)
    {
        try
        {
            await target.RunAsync(input);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    private async ValueTask<bool> TryAsync(Watchdog watchdog, byte[] input)
    {
        _executions++;
        watchdog.Begin(input);
        var fault = await FaultOfAsync(target, input);
        watchdog.End();
        if (fault is not null)
        {
            if (findings.Add(target.Name, input, FindingStore.KindOf(fault), fault.ToString()))
                _found++;
        }
        return _map.Add() && fault is null;
    }

    private void Print()
    {
        var (reached, total) = _map.Of(target.Scope);
        Console.WriteLine(
            $"{target.Name, -18} {_watch.Elapsed.TotalSeconds, 5:F0} s {_executions, 9} inputs {_executions / Math.Max(0.001, _watch.Elapsed.TotalSeconds), 8:F0}/s"
                + $"  blocks {reached}/{total} of its types, {_map.Reached} in all  corpus {_inputs.Count}  findings {_found}"
        );
    }
}
