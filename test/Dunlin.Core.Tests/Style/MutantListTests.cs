using System.Diagnostics;

namespace Dunlin.Core.Tests.Style;

/// <summary>The lists of test/mutants, which scripts/mutants.mjs applies.</summary>
public sealed class MutantListTests
{
    [Fact]
    public async Task Every_mutant_applies_to_the_code_and_names_its_tests()
    {
        var start = new ProcessStartInfo("node", ["scripts/mutants.mjs", "--check"])
        {
            WorkingDirectory = Checkout.Root,
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith(" mutants, 0 faults\n", output, StringComparison.Ordinal);
    }
}
