using System.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.Fuzz.Tests;

/// <summary>
/// Runs all targets of <c>test/Dunlin.Fuzz</c>: the stored corpora, then two minutes of mutations. <c>DUNLIN_SEED</c> repeats a run,
/// <c>DUNLIN_FUZZ_SECONDS</c> extends it.
/// </summary>
public sealed class FuzzTests
{
    private static readonly string Program = AppContext
        .BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)
        .Replace("Dunlin.Fuzz.Tests", "Dunlin.Fuzz", StringComparison.Ordinal);

    [Fact]
    public async Task All_targets_read_their_corpora_and_mutations_without_a_fault()
    {
        TestSeed.NewRandom(out var seed);
        var (_, list) = await RunAsync("--list");
        var targets = list.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] arguments =
        [
            "--seed",
            seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--findings",
            Path.Combine(Repository.Root, "artifacts", "fuzz"),
            .. targets.SelectMany(static name => new[] { "--target", name }),
        ];
        var (code, output) = await RunAsync(arguments);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        // A failure starts with the findings, because logs are often cut.
        var findings = output[Math.Max(0, output.LastIndexOf(" findings\n", StringComparison.Ordinal))..].Trim();
        Assert.True(code == 0, $"{findings}\n{output}");
        Assert.EndsWith("0 findings", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_target_has_a_corpus_and_all_corpora_are_small()
    {
        var (_, list) = await RunAsync("--list");
        var names = list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static name => name.Trim()).ToList();
        var corpora = new DirectoryInfo(Path.Combine(Repository.Root, "test", "Dunlin.Fuzz", "corpus"));
        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            corpora.GetDirectories().Select(static d => d.Name).Order(StringComparer.Ordinal)
        );
        Assert.InRange(corpora.EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length), 1, 200 * 1024);
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(Program, "Dunlin.Fuzz.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
