using System.Globalization;
using Dunlin.Simulation.Faults;
using Dunlin.Simulation.Runs;

namespace Dunlin.Simulation.Tests;

public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int NewSeeds = 2_000;

    [Fact]
    public void A_seed_replays_with_the_same_digest()
    {
        var digests = new HashSet<ulong>();
        for (var seed = 1; seed <= 50; seed++)
        {
            var (first, second) = (Runs.Simulation.Run(new SimOptions(seed)), Runs.Simulation.Run(new SimOptions(seed)));
            Assert.Equal((first.Digest, first.Steps, first.Counts), (second.Digest, second.Steps, second.Counts));
            digests.Add(first.Digest);
        }
        Assert.Equal(50, digests.Count);
    }

    [Fact]
    public void Tracing_does_not_change_a_run()
    {
        var traced = Runs.Simulation.Run(new SimOptions(7) { Traces = true });
        Assert.Equal(Runs.Simulation.Run(new SimOptions(7)).Digest, traced.Digest);
        Assert.Contains(traced.Trace, static line => line.Contains("is ready at", StringComparison.Ordinal));
    }

    [Fact]
    public void New_seeds_hold_all_invariants()
    {
        var seed = Environment.GetEnvironmentVariable("DUNLIN_SEED");
        var first = seed is null ? Random.Shared.Next(1, 1_000_000_000) : Parse(seed);
        output.WriteLine($"DUNLIN_SEED={first}");
        // A second try must fail too, so the seeds that fail are run again until they hold.
        var pending = Path.Combine(AppContext.BaseDirectory, "pending-seeds.txt");
        var earlier = File.Exists(pending) ? File.ReadLines(pending) : [];
        var batch = SeedBatch.Run(
            [.. earlier.Select(Parse).Concat(Enumerable.Range(first, NewSeeds)).Select(static seed => new SimOptions(seed))],
            Environment.ProcessorCount
        );
        if (batch.Failures.Count > 0)
            File.WriteAllLines(pending, batch.Failures.Select(static failed => failed.Seed.ToString(CultureInfo.InvariantCulture)));
        else
            File.Delete(pending);
        Assert.True(batch.Failures.Count == 0, Report(batch));
        // Runs that do nothing would hold every invariant.
        Assert.True(batch.Counts.Events > 50 * NewSeeds && batch.Counts.Received > 50 * NewSeeds, batch.Counts.ToString());
        Assert.True(batch.Counts.Grants > 5 * NewSeeds && batch.Counts.Jobs > NewSeeds, batch.Counts.ToString());
    }

    [Fact]
    public void Seeds_that_once_failed_hold_all_invariants()
    {
        var seeds = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "failed-seeds.txt"))
            .Select(static line => line.Split('#')[0].Trim())
            .Where(static line => line.Length > 0)
            .Select(static line => new SimOptions(Parse(line)))
            .ToList();
        Assert.NotEmpty(seeds);
        var batch = SeedBatch.Run(seeds, Environment.ProcessorCount);
        Assert.True(batch.Failures.Count == 0, Report(batch));
    }

    // Each invariant is worth as much as the faults that it finds.
    [Theory]
    [InlineData(Sabotage.PageLosesLastEvent, "gap")]
    [InlineData(Sabotage.NoNotificationsAndNoPoll, "quiesce")]
    [InlineData(Sabotage.StaleWritesPass, "lease")]
    [InlineData(Sabotage.KeysAreForgotten, "acknowledged")]
    [InlineData(Sabotage.LostUpdateOfLeases, "lease")]
    [InlineData(Sabotage.CommitIsLost, "acknowledged")]
    [InlineData(Sabotage.OffsetIsReused, "positions")]
    [InlineData(Sabotage.RightsAreCached, "rights")]
    internal void A_deliberate_fault_is_found(Sabotage sabotage, string check)
    {
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 1; seed <= NewSeeds && !found.ContainsKey(check); seed++)
        {
            if (Runs.Simulation.Run(new SimOptions(seed) { Sabotage = sabotage }).Check is { } broken)
                found.TryAdd(broken, seed);
        }
        output.WriteLine($"{sabotage}: {string.Join(", ", found.Select(static pair => $"{pair.Key} by seed {pair.Value}"))}");
        Assert.True(found.ContainsKey(check), $"Not found: {string.Join(", ", found.Keys)}");
    }

    [Fact]
    public void A_failing_seed_shrinks_to_less_work_and_a_trace()
    {
        var failing = Enumerable
            .Range(1, NewSeeds)
            .Select(static seed => new SimOptions(seed) { Sabotage = Sabotage.OffsetIsReused })
            .First(static run => Runs.Simulation.Run(run).Check == "positions");
        var smallest = Shrinker.Shrink(failing);
        Assert.Equal((0, 0, 0), (smallest.LeaseUsers, smallest.Readers, smallest.Rights));
        Assert.True(smallest.Kinds < failing.Kinds, $"{smallest}");
        var result = Runs.Simulation.Run(smallest with { Traces = true });
        Assert.Equal("positions", result.Check);
        Assert.NotEmpty(result.Trace);
    }

    private static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Report(SeedBatch batch) =>
        string.Join(
            '\n',
            batch.Failures.Select(static failed =>
                $"{failed.Failure.Message} Replay: dotnet run --project test/Dunlin.Simulation -c Release -- --seed {failed.Seed} --trace"
            )
        );
}
