using Dunlin.Fuzz.Coverage;
using Dunlin.Fuzz.Engine;
using Dunlin.Fuzz.Targets;

namespace Dunlin.Fuzz;

/// <summary>What the program does.</summary>
internal static class FuzzCommands
{
    // All corpora have at most 200 KB.
    private const int MaxCorpusBytes = 6 * 1024;

    public static async Task<int> RunAsync(FuzzOptions options)
    {
        var targets = AllTargets.Create(options.Seed);
        if (options.IsList)
        {
            foreach (var target in targets)
                Console.WriteLine(target.Name);
            return 0;
        }
        var chosen = options.Targets.Count == 0 ? targets : [.. targets.Where(target => options.Targets.Contains(target.Name))];
        if (options.Targets.FirstOrDefault(name => targets.All(target => target.Name != name)) is { } unknown)
        {
            Console.Error.WriteLine($"There is no target '{unknown}'. --list prints the names.");
            return FuzzOptions.UsageExitCode;
        }
        return options.Replay is { } file ? await ReplayAsync(options, chosen, file) : await FuzzAsync(options, chosen);
    }

    private static async Task<int> FuzzAsync(FuzzOptions options, IReadOnlyList<FuzzTarget> targets)
    {
        Console.WriteLine($"DUNLIN_SEED={options.Seed}");
        var findings = new FindingStore(options.Findings);
        var summaries = new List<FuzzSummary>();
        var weights = targets.Sum(static target => target.Weight);
        foreach (var target in targets)
        {
            await using (target)
            {
                await target.StartAsync();
                CoverageMap.Load().Add(); // clears what the start counted
                var corpus = new Corpus(Path.Combine(options.Corpus, target.Name));
                var runner = new FuzzRunner(target, corpus, findings, options.Seed);
                summaries.Add(await runner.RunAsync(TimeSpan.FromSeconds(options.Seconds * target.Weight / weights)));
                if (options.IsMinimise)
                    Console.WriteLine($"{target.Name}: {await corpus.AddAsync(target, runner.Inputs, MaxCorpusBytes)} new files");
            }
        }
        await Hosts.StopAsync();
        Report(summaries, targets);
        Console.WriteLine($"{findings.All.Count} findings");
        foreach (var finding in findings.All)
            Console.WriteLine($"  {finding.Target}: {finding.Kind} ({finding.File})");
        return findings.All.Count == 0 ? 0 : 1;
    }

    private static void Report(IReadOnlyList<FuzzSummary> summaries, IReadOnlyList<FuzzTarget> targets)
    {
        var all = CoverageMap.Load();
        Console.WriteLine();
        Console.WriteLine("| target | executions | per second | blocks of its types | corpus |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var (summary, target) in summaries.Zip(targets))
        {
            all.Add(summary.Map);
            var (reached, total) = summary.Map.Of(target.Scope);
            Console.WriteLine(
                $"| {summary.Target} | {summary.Executions:N0} | {summary.Executions / Math.Max(0.001, summary.Time.TotalSeconds):N0} "
                    + $"| {reached:N0} of {total:N0} ({100.0 * reached / Math.Max(1, total):F0} %) | {summary.Corpus} |"
            );
        }
        Console.WriteLine();
        Console.WriteLine("| assembly | blocks reached | blocks | share |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var (assembly, reached, total) in all.ByAssembly())
            Console.WriteLine($"| `{assembly}` | {reached:N0} | {total:N0} | {100.0 * reached / total:F0} % |");
        Console.WriteLine();
        Console.WriteLine(
            $"{summaries.Sum(static summary => summary.Executions):N0} executions, {all.Reached:N0} of {all.Total:N0} blocks"
        );
    }

    private static async Task<int> ReplayAsync(FuzzOptions options, IReadOnlyList<FuzzTarget> targets, string file)
    {
        if (targets.Count != 1 || !File.Exists(file))
        {
            Console.Error.WriteLine($"--replay needs one --target and an existing file, not '{file}'.");
            return FuzzOptions.UsageExitCode;
        }
        await using var target = targets[0];
        await target.StartAsync();
        var input = await File.ReadAllBytesAsync(file);
        var fault = await FuzzRunner.FaultOfAsync(target, input);
        Console.WriteLine(fault?.ToString() ?? "no fault");
        if (fault is not null && options.IsMinimise)
        {
            var shorter = await Shrinker.ShrinkAsync(target, input, FindingStore.KindOf(fault));
            await File.WriteAllBytesAsync(file + ".min", shorter);
            Console.WriteLine($"{input.Length} bytes shortened to {shorter.Length}: {file}.min");
        }
        await Hosts.StopAsync();
        return fault is null ? 0 : 1;
    }
}
