using System.Diagnostics;
using System.Globalization;
using Dunlin.Simulation.Runs;

namespace Dunlin.Simulation;

/// <summary>The simulator. Without an option of the simulator, the tests of this project run.</summary>
internal static class Program
{
    private const int MaxNumber = 1_000_000_000;

    private const string Usage = """
        dotnet run --project test/Dunlin.Simulation -c Release -- OPTIONS
          --seeds N     runs N new seeds, and exits with 1 if one fails
          --from S      the first seed of --seeds; default: a random one
          --threads T   the number of seeds at once; default: the number of processors
          --seed S      runs one seed
          --trace       prints each step of --seed in readable lines
          --shrink      removes faults and work from --seed while it still fails, then prints the trace
        """;

    private static readonly string[] Numbers = ["--seeds", "--from", "--threads", "--seed"];
    private static readonly string[] Switches = ["--trace", "--shrink", "--help"];

    private static int Main(string[] args)
    {
        if (!args.Any(static arg => arg is "--seeds" or "--seed" or "--help"))
            return Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < args.Length; index++)
        {
            if (Switches.Contains(args[index]))
                continue;
            if (!Numbers.Contains(args[index]))
                return Refuse($"Unknown option '{args[index]}'.");
            var value = index + 1 < args.Length ? args[index + 1] : "";
            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > MaxNumber)
                return Refuse($"The value of {args[index]} must be a number from 1 to {MaxNumber}, not '{value}'.");
            numbers[args[index++]] = number;
        }
        if (args.Contains("--help"))
        {
            Console.WriteLine(Usage);
            return 0;
        }
        if (numbers.TryGetValue("--seed", out var seed))
        {
            var run = new SimOptions(seed) { Traces = args.Contains("--trace") };
            return args.Contains("--shrink") ? ShrinkOne(run) : RunOne(run);
        }
        return RunMany(
            numbers.GetValueOrDefault("--from", Random.Shared.Next(1, MaxNumber)),
            numbers["--seeds"],
            numbers.GetValueOrDefault("--threads", Environment.ProcessorCount)
        );
    }

    private static int Refuse(string error)
    {
        Console.Error.WriteLine(error);
        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static int RunOne(SimOptions options)
    {
        var result = Runs.Simulation.Run(options);
        foreach (var line in result.Trace)
            Console.WriteLine(line);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seed {options.Seed}: digest {result.Digest:x16}, {result.Steps} steps, {result.Counts}"
            )
        );
        if (result.Failure is null)
            return 0;
        Console.WriteLine(result.Failure);
        return 1;
    }

    private static int ShrinkOne(SimOptions options)
    {
        if (Runs.Simulation.Run(options).Failure is null)
        {
            Console.WriteLine($"Seed {options.Seed} holds all invariants: there is nothing to shrink.");
            return 0;
        }
        var smallest = Shrinker.Shrink(options, static run => Console.WriteLine($"fails too: {run}"));
        return RunOne(smallest with { Traces = true });
    }

    private static int RunMany(int first, int count, int threads)
    {
        var watch = Stopwatch.StartNew();
        var reported = 0;
        var batch = SeedBatch.Run(
            first,
            count,
            threads,
            progress =>
            {
                foreach (var failed in progress.Failures.Skip(reported))
                    Console.WriteLine(Line(failed));
                reported = progress.Failures.Count;
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{progress.Done} of {count} seeds, {Rate(progress.Done, watch):F0} a second, {progress.Failures.Count} failed"
                    )
                );
            }
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{count} seeds from {first} in {watch.Elapsed.TotalSeconds:F0} s: {Rate(count, watch):F0} a second; {batch.Counts}"
            )
        );
        foreach (var failed in batch.Failures.OrderBy(static failed => failed.Seed))
            Console.WriteLine(Line(failed));
        return batch.Failures.Count == 0 ? 0 : 1;
    }

    private static string Line((int Seed, Exception Failure) failed) =>
        $"seed {failed.Seed} failed: {failed.Failure.Message} Replay it with --seed {failed.Seed} --trace, or shrink it with --shrink.";

    private static double Rate(int count, Stopwatch watch) => count / watch.Elapsed.TotalSeconds;
}
