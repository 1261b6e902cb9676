using Dunlin.Fanout;
using Dunlin.Streams.Combined;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// More tabs of different pages than a browser opens connections to a host over HTTP/1.1, which are six. The streams must leave
/// connections free for requests.
/// </summary>
public sealed class ConnectionLimitTests(BrowserFixture browser)
{
    private static readonly string[] Paths =
    [
        "/",
        "/documents",
        "/todos/demo-desk",
        "/branch/1",
        "/focus",
        "/wishlists/list/demo-birthday",
        "/branch/2",
        "/todos/demo-groceries",
    ];

    private const string Visibility = """
        state => {
          Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
          Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }
        """;

    [Fact]
    public async Task Eight_tabs_of_all_pages_are_live_and_leave_connections_for_requests()
    {
        await using var host = await TestHost.StartAsync();
        var context = await SignedInAsync(host);
        var tabs = new List<IPage>();
        foreach (var path in Paths)
            tabs.Add(await OpenAsync(host, context, path));
        Assert.Equal(1, host.Services.GetRequiredService<CombinedStreams>().Count);
        await AnswersAsync(tabs);

        // The diagnostic page opens a native stream, which needs a connection of its own while the tab is shown.
        var raw = new List<IPage>();
        for (var i = 0; i < 4; i++)
        {
            if (i > 0)
                await raw[^1].EvaluateAsync(Visibility, "hidden");
            raw.Add(await context.NewPageAsync());
            await raw[^1].GotoAsync(new Uri(host.Address, "/todos/stream").ToString());
            await Expect(raw[^1].Locator("[data-stream=open]")).ToBeVisibleAsync();
            foreach (var tab in raw[..^1])
                await Expect(tab.Locator("[data-stream=closed]")).ToBeAttachedAsync();
        }
        await AnswersAsync([.. tabs, .. raw]);
        await raw[^1].EvaluateAsync(Visibility, "hidden");
        await raw[0].EvaluateAsync(Visibility, "visible");
        await Expect(raw[0].Locator("[data-stream=open]")).ToBeVisibleAsync();
        foreach (var tab in tabs)
            await IsLiveAsync(tab);
    }

    [Fact]
    public async Task Without_BroadcastChannel_hidden_tabs_let_go_and_come_back()
    {
        await using var host = await TestHost.StartAsync();
        var context = await SignedInAsync(host);
        await context.AddInitScriptAsync("delete globalThis.BroadcastChannel");
        await context.Clock.InstallAsync(new() { TimeDate = host.Time.GetUtcNow().UtcDateTime });
        var connections = host.Services.GetRequiredService<EventFanout>();
        // The pages with one stream each and no library of their own that talks to other tabs.
        string[] paths = ["/documents", "/branch/1", "/focus", "/branch/2", "/documents", "/branch/3", "/focus", "/branch/1"];
        var tabs = new List<IPage>();
        foreach (var path in paths)
        {
            if (tabs.Count > 0)
                await tabs[^1].EvaluateAsync(Visibility, "hidden");
            // Longer than a hidden tab keeps its stream.
            await context.Clock.RunForAsync(11_000);
            tabs.Add(await OpenAsync(host, context, path));
            Assert.InRange(connections.OfUser("alice").Count, 1, 2);
        }
        await AnswersAsync(tabs);
        await tabs[^1].EvaluateAsync(Visibility, "hidden");
        await tabs[0].EvaluateAsync(Visibility, "visible");
        await IsLiveAsync(tabs[0]);
    }

    private async Task<IBrowserContext> SignedInAsync(TestHost host)
    {
        var page = await host.OpenAsync(browser.Browser, "alice", "/no-such-page");
        return page.Context;
    }

    private static async Task<IPage> OpenAsync(TestHost host, IBrowserContext context, string path)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(host.Address, path).ToString());
        await IsLiveAsync(page);
        return page;
    }

    private static Task IsLiveAsync(IPage page) =>
        Expect(page.Locator("[data-connection=live], [data-cloud=synced]").First).ToBeVisibleAsync();

    // All at once: together they need more connections than the browser opens, so each must wait for a short request only.
    private static async Task AnswersAsync(IReadOnlyCollection<IPage> tabs) =>
        Assert.All(
            await Task.WhenAll(
                tabs.Select(tab => tab.EvaluateAsync<int>("() => fetch('/api/v1/auth/status').then(answer => answer.status)"))
            ),
            status => Assert.Equal(200, status)
        );
}
