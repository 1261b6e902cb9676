using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Inspector;

/// <summary>The page of the inspector. The host samples only when the test advances its time.</summary>
internal sealed class InspectorPage(TestHost host, IPage page)
{
    public const string Path = "/dunlin/inspect/";

    public static readonly string[] Views =
    [
        "overview",
        "topics",
        "connections",
        "journal",
        "leases",
        "jobs",
        "webhooks",
        "nodes",
        "refusals",
        "tools",
    ];

    public IPage Page => page;

    public ILocator Rows => page.Locator("main [role=row].table-row");

    public ILocator Panel => page.Locator("section.panel");

    public static async Task<InspectorPage> OpenAsync(TestHost host, IBrowser browser, BrowserNewContextOptions? options = null)
    {
        var page = new InspectorPage(host, await host.OpenAsync(browser, "alice", Path, options));
        await Expect(page.Page.Locator("[data-connection=live]")).ToBeVisibleAsync();
        return page;
    }

    /// <summary>Opens a view, and waits for its heading.</summary>
    public async Task ShowAsync(string view, string detail = "")
    {
        await page.EvaluateAsync(
            "hash => location.hash = hash",
            $"#/{view}{(detail.Length > 0 ? "/" + Uri.EscapeDataString(detail) : "")}"
        );
        await Expect(page.Locator($"main[data-view={view}]")).ToBeVisibleAsync();
    }

    /// <summary>Advances the server's time second by second until an element is visible.</summary>
    public async Task SampleUntilAsync(ILocator wanted, Action? before = null)
    {
        for (var i = 0; i < 300 && !await wanted.IsVisibleAsync(); i++)
        {
            before?.Invoke();
            host.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        await Expect(wanted).ToBeVisibleAsync();
    }
}
