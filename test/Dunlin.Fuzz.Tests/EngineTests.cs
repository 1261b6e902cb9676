using System.Text;
using Dunlin.Fuzz.Engine;
using Dunlin.Fuzz.Requests;

namespace Dunlin.Fuzz.Tests;

/// <summary>The fuzzer itself.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-fuzz-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_seed_repeats_all_mutations()
    {
        Assert.Equal(Mutations(7), Mutations(7));
        Assert.NotEqual(Mutations(7), Mutations(8));
    }

    [Fact]
    public async Task A_stored_input_that_fails_is_reported_and_shortened()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "fault-a"), "before !! after");
        var findings = new FindingStore(Path.Combine(_folder.FullName, "findings"));
        var summary = await new FuzzRunner(Planted(), new Corpus(_folder.FullName), findings, seed: 1).RunAsync(TimeSpan.Zero);
        Assert.Equal((1, 1), (summary.Executions, summary.Findings));
        var finding = Assert.Single(findings.All);
        Assert.Equal("planted", finding.Kind);
        var input = await File.ReadAllBytesAsync(finding.File);
        Assert.Equal("!!"u8.ToArray(), await Shrinker.ShrinkAsync(Planted(), input, finding.Kind));
    }

    [Fact]
    public void Faults_of_one_kind_are_reported_once()
    {
        var findings = new FindingStore(_folder.FullName);
        Assert.True(findings.Add("a", [1], "kind", "first"));
        Assert.False(findings.Add("a", [2], "kind", "second"));
        Assert.True(findings.Add("b", [2], "kind", "other target"));
        Assert.Equal(2, findings.All.Count);
    }

    [Fact]
    public void Repeated_items_of_JSON_are_cut()
    {
        var longest = 0;
        for (var seed = 0; seed < 10_000 && longest <= 1024 * 1024; seed++)
        {
            var json = JsonFuzz.Parse("[[[[[1]]]]]");
            var random = new Random(seed);
            for (var changes = 0; changes < 6; changes++)
                json.Mutate(random, []);
            longest = Math.Max(longest, json.ToString().Length);
        }
        Assert.InRange(longest, 1024 * 1024, 1200 * 1024);
    }

    private static ParserTarget Planted() =>
        new(
            "planted",
            static input => FindingException.Require(input.AsSpan().IndexOf("!!"u8) < 0, "planted", Encoding.UTF8.GetString(input))
        );

    private static string Mutations(int seed)
    {
        var mutator = new Mutator(Planted(), new Random(seed));
        byte[][] corpus = ["abc"u8.ToArray(), "1234"u8.ToArray()];
        return string.Join(' ', Enumerable.Range(0, 500).Select(_ => Convert.ToHexString(mutator.Next(corpus))));
    }
}
