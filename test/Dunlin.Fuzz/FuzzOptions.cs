using System.Globalization;

namespace Dunlin.Fuzz;

/// <summary>The options of the command line.</summary>
internal sealed record FuzzOptions
{
    public const int UsageExitCode = 2;

    private const string Usage = """
        Usage: Dunlin.Fuzz [--list] [--target NAME]... [--seconds N] [--seed N] [--replay FILE] [--minimise]

          --list           prints the targets
          --target NAME    a target; may be repeated. Default: all targets
          --seconds N      the time of all targets together. Default: 120, or DUNLIN_FUZZ_SECONDS. 0 runs the corpora only
          --seed N         the seed of the mutations. Default: DUNLIN_SEED, or a random one
          --corpus FOLDER  the corpora, one folder for each target. Default: the committed ones
          --findings FOLDER  where inputs with faults are stored. Default: artifacts/fuzz
          --replay FILE    runs one input of one target, and prints its fault
          --minimise       with --replay: shortens the input. Otherwise: adds new inputs to the corpora
        """;

    public bool IsList { get; private init; }
    public IReadOnlyList<string> Targets { get; private init; } = [];
    public double Seconds { get; private init; } = Number("DUNLIN_FUZZ_SECONDS") ?? 120;
    public int Seed { get; private init; } = Number("DUNLIN_SEED") ?? Random.Shared.Next();
    public string Corpus { get; private init; } = Path.Combine(AppContext.BaseDirectory, "corpus");
    public string Findings { get; private init; } = Path.Combine("artifacts", "fuzz");
    public string? Replay { get; private init; }
    public bool IsMinimise { get; private init; }

    /// <summary>Parses the arguments. Prints the usage and returns null if they are wrong.</summary>
    public static FuzzOptions? Parse(string[] args)
    {
        var options = new FuzzOptions();
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            var next = (args[i], value) switch
            {
                ("--list", _) => options with { IsList = true },
                ("--minimise", _) => options with { IsMinimise = true },
                ("--target", not null) => options with { Targets = [.. options.Targets, value] },
                ("--corpus", not null) => options with { Corpus = value },
                ("--findings", not null) => options with { Findings = value },
                ("--replay", not null) => options with { Replay = value },
                ("--seconds", not null) when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) => options with
                {
                    Seconds = seconds,
                },
                ("--seed", not null) when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
                _ => null,
            };
            if (next is null)
            {
                Console.Error.WriteLine($"'{args[i]}' is no option, or its value is missing.\n\n{Usage}");
                return null;
            }
            options = next;
            if (args[i] is not ("--list" or "--minimise"))
                i++;
        }
        return options;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value) ? value : null;
}
