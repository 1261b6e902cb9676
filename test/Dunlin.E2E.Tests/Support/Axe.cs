using System.Globalization;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Collects the accessibility faults that axe-core finds in the states of a page, in light and dark.</summary>
internal sealed class Axe
{
    private static readonly AxeRunOptions Options = new()
    {
        RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] },
        // Of the passed rules axe then describes one element each, and not all elements of the page.
        ResultTypes = [ResultType.Violations],
    };

    private readonly SortedSet<string> _faults = new(StringComparer.Ordinal);

    /// <summary>Gets the options of a context without animations, which would change colours while axe measures them.</summary>
    public static BrowserNewContextOptions Still => new() { ReducedMotion = ReducedMotion.Reduce, Locale = "en-GB" };

    public async Task CheckAsync(IPage page, string state)
    {
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            var result = await page.RunAxe(Options);
            foreach (var violation in result.Violations)
            foreach (var node in violation.Nodes)
            {
                if (IsException(violation.Id, $"{node.Target}"))
                    continue;
                var why = node.Any.Concat(node.All).Concat(node.None).Select(check => check.Message).FirstOrDefault();
                _faults.Add($"{state}, {scheme}: {violation.Id} at {node.Target}: {why}\n    {Short(node.Html)}");
            }
        }
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }

    public void RequireNone() =>
        Assert.True(
            _faults.Count == 0,
            string.Create(CultureInfo.InvariantCulture, $"{_faults.Count} accessibility faults:\n{string.Join('\n', _faults)}")
        );

    // A cell with an open editor is no target: the editor covers it, and its cell margin stays free on purpose.
    private static bool IsException(string rule, string target) =>
        rule == "target-size" && target.StartsWith("td[data-editing", StringComparison.Ordinal);

    private static string Short(string html) => html.Length <= 160 ? html : html[..160];
}
