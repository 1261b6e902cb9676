using Dunlin.Core.Tests.Style;

namespace Dunlin.Core.Tests.Architecture;

/// <summary>Every endpoint of the packages that stores what a user sends counts it against a limit.</summary>
public sealed class WriteLimitTests
{
    private static readonly string[] Writes = ["ournal.AppendAsync(", "store.WriteAsync(", ".PublishTransient("];

    private static readonly string[] Limits = ["rate.Take(", "rates.Take(", "_limits.Begin("];

    /// <summary>Files whose writes no user can multiply, with the reason.</summary>
    private static readonly Dictionary<string, string> Unlimited = new(StringComparer.Ordinal)
    {
        ["src/Dunlin.Replicache/Pokes/PokeEndpoints.cs"] = "stores nothing, and reaches only streams of the caller",
        ["src/Dunlin.Inspector/Jobs/JobViews.cs"] = "administrators only",
        ["src/Dunlin.Inspector/Leases/LeaseViews.cs"] = "administrators only",
    };

    [Fact]
    public void Every_endpoint_that_writes_has_a_limit()
    {
        var writers = Checkout
            .Files(".cs")
            .Where(static path => path.StartsWith("src/", StringComparison.Ordinal))
            .Where(static path => Has(path, ["HttpContext context"]) && Has(path, Writes) && !Has(path, ["WriteAsync(static (_, _)"]))
            .ToList();
        Assert.True(writers.Count >= 8, string.Join('\n', writers));
        Assert.DoesNotContain(writers, path => !Unlimited.ContainsKey(path) && !Has(path, Limits));
        Assert.Empty(Unlimited.Keys.Except(writers, StringComparer.Ordinal));
    }

    private static bool Has(string path, string[] texts)
    {
        var code = Checkout.Read(path);
        return texts.Any(text => code.Contains(text, StringComparison.Ordinal));
    }
}
