using System.Net;
using Dunlin.E2E.Tests.Todos;
using Dunlin.Fanout;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Pages behind proxies that disturb event streams.</summary>
public sealed class TransportTests(BrowserFixture browser)
{
    private const string List = "/todos/demo-trip";

    [Fact]
    public async Task A_page_behind_a_buffering_proxy_uses_a_WebSocket()
    {
        await using var host = await TestHost.StartAsync(faults: new ProxyFaults { Buffers = true });
        var page = await BlankAsync(host);
        var sockets = new List<string>();
        page.WebSocket += (_, socket) => sockets.Add(socket.Url);
        await page.GotoAsync(new Uri(host.Address, List).ToString());
        await TodoPages.LiveAsync(page);
        Assert.NotEmpty(sockets);
        await ShowsChangesAsync(host, page);
        // The next page of this browser begins with the transport that worked.
        await page.ReloadAsync();
        await TodoPages.LiveAsync(page);
        Assert.Contains(
            "webSocket",
            await page.EvaluateAsync<string>("() => JSON.stringify({ ...localStorage })"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_page_whose_proxy_also_drops_Upgrade_uses_long_polls()
    {
        await using var host = await TestHost.StartAsync(faults: new ProxyFaults { Buffers = true, DropsUpgrade = true });
        var page = await BlankAsync(host);
        var polls = page.Watch(static request => request.Url.Contains("wait=", StringComparison.Ordinal));
        await page.GotoAsync(new Uri(host.Address, List).ToString());
        await TodoPages.LiveAsync(page);
        await ShowsChangesAsync(host, page);
        Assert.NotEmpty(polls);
    }

    [Fact]
    public async Task Two_tabs_share_one_stream_of_long_polls()
    {
        await using var host = await TestHost.StartAsync(faults: new ProxyFaults { Buffers = true, DropsUpgrade = true });
        var first = await host.OpenAsync(browser.Browser, "alice", List);
        await TodoPages.LiveAsync(first);
        var second = await first.Context.NewPageAsync();
        await second.GotoAsync(new Uri(host.Address, List).ToString());
        await TodoPages.LiveAsync(second);
        Assert.InRange(host.Services.GetRequiredService<EventFanout>().OfUser("alice").Count, 0, 1);
        await ShowsChangesAsync(host, first, second);
        await first.CloseAsync();
        await ShowsChangesAsync(host, second);
    }

    [Fact]
    public async Task A_page_behind_a_proxy_that_cuts_idle_responses_misses_nothing()
    {
        // 30 s in reality. The host sends no heartbeats, because its time is manual. A page counts a stream as steady after 5 s.
        await using var host = await TestHost.StartAsync(faults: new ProxyFaults { CutsIdleAfter = TimeSpan.FromSeconds(6) });
        var page = await BlankAsync(host);
        var streams = page.Watch(static request => request.Url.EndsWith("/dunlin/v1/streams", StringComparison.Ordinal));
        await page.GotoAsync(new Uri(host.Address, List).ToString());
        await TodoPages.LiveAsync(page);
        await page.WaitForRequestAsync(static request => request.Url.EndsWith("/dunlin/v1/streams", StringComparison.Ordinal));
        await ShowsChangesAsync(host, page);
        Assert.True(streams.Count > 1);
    }

    [Fact]
    public async Task A_page_behind_a_proxy_that_answers_502_misses_nothing()
    {
        await using var host = await TestHost.StartAsync(faults: new ProxyFaults { BadGateways = 0.5, Seed = 7 });
        host.ExpectRefusals(HttpStatusCode.BadGateway);
        var page = await host.OpenAsync(browser.Browser, "alice", List);
        await TodoPages.LiveAsync(page);
        await ShowsChangesAsync(host, page);
    }

    private async Task<IPage> BlankAsync(TestHost host)
    {
        var page = await host.OpenAsync(browser.Browser, "alice", "/healthz/live");
        return page;
    }

    private async Task ShowsChangesAsync(TestHost host, params IPage[] pages)
    {
        var bob = await host.OpenAsync(browser.Browser, "bob", List);
        foreach (var word in new[] { "one", "two", "three" })
        {
            var text = $"{word} {Guid.NewGuid():N}";
            await TodoPages.AddAsync(bob, text);
            foreach (var page in pages)
                await Expect(TodoPages.Entry(page, text)).ToHaveCountAsync(1);
        }
        await bob.CloseAsync();
    }
}
