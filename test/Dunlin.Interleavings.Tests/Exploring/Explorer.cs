using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Dunlin.TestKit;

namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>Runs a scenario in all schedules within a bound on preemptions, then in random ones.</summary>
/// <remarks>
/// Environment: <c>DUNLIN_INTERLEAVINGS_BOUND</c> (preemptions), <c>DUNLIN_INTERLEAVINGS_MAX</c> (schedules of a scenario),
/// <c>DUNLIN_INTERLEAVINGS_WALKS</c> (random schedules), <c>DUNLIN_SEED</c>, and <c>DUNLIN_INTERLEAVINGS_REPLAY</c> (the schedule of a
/// failure, for one test).
/// </remarks>
internal static class Explorer
{
    private const int Bound = 2;
    private const int MaxSchedules = 10_000;
    private const int Walks = 200;

    /// <summary>Explores a scenario and prints the extent.</summary>
    /// <param name="prepare">Creates the state, and adds the threads and the check. Runs again for each schedule.</param>
    /// <param name="bound">The default bound on preemptions.</param>
    /// <param name="name">The name in the output: the test.</param>
    public static void Explore(Func<Scenario, Task> prepare, int bound = Bound, [CallerMemberName] string name = "")
    {
        var result = Find(prepare, Number("BOUND", bound), Number("MAX", MaxSchedules), Number("WALKS", Walks));
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {result}");
        if (Environment.GetEnvironmentVariable("DUNLIN_INTERLEAVINGS_REPORT") is { Length: > 0 } report)
            File.AppendAllText(report, $"{name}: {result}\n");
        Assert.True(result.Failure is null, $"{name}: {result}\n{result.Failure}");
    }

    /// <inheritdoc cref="Explore(Func{Scenario, Task}, int, string)"/>
    public static void Explore(Action<Scenario> prepare, int bound = Bound, [CallerMemberName] string name = "") =>
        Explore(Synchronously(prepare), bound, name);

    /// <summary>Explores a scenario and returns the extent and the first failure.</summary>
    public static Exploration Find(Func<Scenario, Task> prepare, int bound, int max, int walks)
    {
        var fields = new HashSet<string>(StringComparer.Ordinal);
        if (Environment.GetEnvironmentVariable("DUNLIN_INTERLEAVINGS_REPLAY") is { Length: > 0 } replay)
            return Repeat(prepare, replay);
        var (total, steps, complete) = (0, 0L, -1);
        // Few preemptions first: they find most faults, and that search is complete more often.
        var allowed = 0;
        var search = new BoundedSearch(allowed);
        while (allowed <= bound && total < max)
        {
            search.BeginRun();
            var (run, failure) = RunOnce(prepare, search, fields);
            (total, steps) = (total + 1, steps + run.Steps);
            if (failure is not null)
                return new Exploration(complete, total, steps, 0, failure);
            if (!run.NewFields.IsSubsetOf(fields))
            {
                // Earlier schedules did not switch at these fields.
                fields.UnionWith(run.NewFields);
                (allowed, complete) = (0, -1);
                search = new BoundedSearch(allowed);
            }
            else if (!search.MoveNext())
            {
                complete = allowed++;
                search = new BoundedSearch(allowed);
            }
        }
        var random = walks > 0 ? TestSeed.NewRandom(out _) : Random.Shared;
        for (var walk = 0; walk < walks; walk++)
        {
            var (run, failure) = RunOnce(prepare, new RandomWalk(random), fields);
            if (failure is not null)
                return new Exploration(complete, total, steps, walk + 1, failure);
            if (run.NewFields.IsSubsetOf(fields))
                continue;
            // The search did not switch at these fields.
            fields.UnionWith(run.NewFields);
            complete = -1;
        }
        return new Exploration(complete, total, steps, walks, null);
    }

    public static Func<Scenario, Task> Synchronously(Action<Scenario> prepare) =>
        scenario =>
        {
            prepare(scenario);
            return Task.CompletedTask;
        };

    /// <summary>Runs one schedule of a failure again.</summary>
    public static Exploration Repeat(Func<Scenario, Task> prepare, string text)
    {
        var parts = text.Split(';');
        var fields = parts.Length > 1 ? parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries) : [];
        var (run, failure) = RunOnce(prepare, new Replay(parts[0]), fields.ToHashSet(StringComparer.Ordinal));
        return new Exploration(-1, 1, run.Steps, 0, failure);
    }

    private static (ScheduledRun Run, string? Failure) RunOnce(Func<Scenario, Task> prepare, IChooser chooser, IReadOnlySet<string> fields)
    {
        var recorder = new Recorder(chooser);
        var run = new ScheduledRun(recorder, fields);
        var scenario = new Scenario();
        run.RunPhase(isBranching: false, [("prepare", () => prepare(scenario))]);
        run.RunPhase(isBranching: true, scenario.Threads);
        run.RunPhase(isBranching: false, [("check", () => scenario.Check())]);
        return (run, run.Failure is { } failure ? Describe(run, failure, $"{recorder.Text};{string.Join(',', fields)}") : null);
    }

    private static string Describe(ScheduledRun run, string failure, string replay)
    {
        var text = new StringBuilder(failure).Append("\nThe schedule:\n");
        foreach (var step in run.Trace)
            text.Append("  ").Append(step).Append('\n');
        return text.Append(CultureInfo.InvariantCulture, $"Repeat it with DUNLIN_INTERLEAVINGS_REPLAY='{replay}'").ToString();
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_INTERLEAVINGS_" + name), CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;
}

/// <summary>The extent of an exploration.</summary>
/// <param name="Complete">The number of preemptions up to which no other schedule exists; -1 if not even without any.</param>
/// <param name="Schedules">The number of schedules of the search.</param>
/// <param name="Steps">The number of scheduling points in these.</param>
/// <param name="Walks">The number of random schedules.</param>
/// <param name="Failure">The first failure; null if there is none.</param>
internal sealed record Exploration(int Complete, int Schedules, long Steps, int Walks, string? Failure)
{
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Schedules} schedules, {Steps} steps, complete up to {Complete} preemptions, {Walks} random walks"
        );
}
