using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Dunlin.Fanout;
using Dunlin.Inspector;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Inspector;

public sealed class AccessTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_user_without_the_role_sees_no_data()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "bob", InspectorPage.Path);
        await Expect(page.Locator("main")).ToContainTextAsync("You need the role admin");
        await Expect(page.Locator(".plot, .table")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_server_without_accounts_asks_for_a_token()
    {
        await using var host = await TestHost.StartAsync(services =>
            services.Configure<InspectorOptions>(options => options.UseAccounts = false)
        );
        var context = await host.ContextAsync(browser.Browser);
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(host.Address, InspectorPage.Path).ToString());
        await Expect(page.Locator("main")).ToContainTextAsync("dunlin token --subject me --role admin");
        await page.Locator("input[type=password]").FillAsync("wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Open the inspector" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("The server refused the token");
        var token = host
            .Services.GetRequiredService<AccessTokens>()
            .Issue(new AccessTokenRequest("operator") { Roles = ["admin"], Lifetime = TimeSpan.FromHours(1) });
        // Copied from a terminal.
        await page.Locator("input[type=password]").FillAsync("Bearer " + token + " ");
        await page.GetByRole(AriaRole.Button, new() { Name = "Open the inspector" }).ClickAsync();
        await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync();
        await page.ReloadAsync();
        await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Forget the token" }).ClickAsync();
        await Expect(page.Locator("input[type=password]")).ToBeVisibleAsync();
        Assert.Equal(0, await page.EvaluateAsync<int>("sessionStorage.length"));
    }

    [Fact]
    public async Task A_lost_server_is_reported_and_the_page_recovers()
    {
        await using var host = await TestHost.StartAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("connections");
        await host.StopAsync();
        await Expect(inspector.Page.Locator("[data-connection=offline]")).ToBeVisibleAsync();
        await Expect(inspector.Page.Locator(".notice-bad").First).ToContainTextAsync("does not answer");
        await host.ContinueAsync();
        await Expect(inspector.Page.Locator("[data-connection=live]")).ToBeVisibleAsync();
        await Expect(inspector.Page.Locator(".notice-bad")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_silent_node_is_named()
    {
        await using var host = await TestHost.StartAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        await inspector.ShowAsync("nodes");
        var greeting = EventDraft.Of(TopicName.Of("dunlin", "nodes"), "here", new { node = "ghost", id = "" });
        // A node is forgotten after ten seconds without a greeting.
        void Greet() => host.Services.GetRequiredService<EventFanout>().PublishTransient(greeting);
        await inspector.SampleUntilAsync(inspector.Page.Locator(".notice").Filter(new() { HasText = "ghost" }), Greet);
        await Expect(inspector.Rows.Filter(new() { HasText = "ghost" })).ToContainTextAsync("No answer");
    }

    [Fact]
    public async Task The_keyboard_reaches_views_search_and_rows()
    {
        await using var host = await TestHost.StartAsync();
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser);
        var keys = inspector.Page.Keyboard;
        await keys.PressAsync("4");
        await Expect(inspector.Page.Locator("main[data-view=journal]")).ToBeVisibleAsync();
        await Expect(inspector.Rows.First).ToBeVisibleAsync();
        await keys.PressAsync("/");
        await Expect(inspector.Page.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
        await keys.PressAsync("Escape");
        await inspector.Rows.First.FocusAsync();
        await keys.PressAsync("ArrowDown");
        await Expect(inspector.Page.Locator("[data-index='1']")).ToBeFocusedAsync();
        await keys.PressAsync("End");
        await keys.PressAsync("Home");
        await Expect(inspector.Page.Locator("[data-index='0']")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(inspector.Panel).ToContainTextAsync("Position");
        await keys.PressAsync("Escape");
        await keys.PressAsync("?");
        await Expect(inspector.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("move in a list");
    }

    [Fact]
    public async Task Axe_finds_no_fault_in_any_view()
    {
        await using var host = await TestHost.StartAsync();
        using var nobody = TestClients.New(host.Address, "not-a-token");
        await nobody.SendJsonAsync("GET", "/dunlin/v1/journal?topic=a");
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser, Axe.Still);
        await inspector.SampleUntilAsync(inspector.Page.Locator(".plot").First);
        var axe = new Axe();
        foreach (var view in InspectorPage.Views)
        {
            await inspector.ShowAsync(view);
            await Expect(inspector.Page.GetByText("Loading", new() { Exact = true })).ToHaveCountAsync(0);
            await axe.CheckAsync(inspector.Page, view);
        }
        axe.RequireNone();
    }

    [Theory]
    [InlineData(390, 844, "phone")]
    [InlineData(820, 1180, "tablet")]
    [InlineData(1440, 900, "desk")]
    public async Task Views_fit_the_width_of_each_size(int width, int height, string size)
    {
        await using var host = await TestHost.StartAsync();
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos");
        await Expect(bob.Locator("[data-connection=live]")).ToBeVisibleAsync();
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = width, Height = height },
        };
        var inspector = await InspectorPage.OpenAsync(host, browser.Browser, options);
        await inspector.SampleUntilAsync(inspector.Page.Locator(".plot").First);
        foreach (var view in InspectorPage.Views)
        {
            await inspector.ShowAsync(view);
            await Expect(inspector.Page.GetByText("Loading", new() { Exact = true })).ToHaveCountAsync(0);
            await inspector.Page.PictureAsync($"inspector-{view}-{size}");
            var overflow = await inspector.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
            Assert.True(overflow <= 0, $"{view} is {overflow} px too wide at {width} px.");
        }
    }

    [Fact]
    public async Task The_page_runs_under_its_strict_policy()
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser);
        var page = await context.NewPageAsync();
        var response = await page.GotoAsync(new Uri(host.Address, InspectorPage.Path).ToString());
        var headers = await response!.AllHeadersAsync();
        Assert.Matches(new Regex("default-src 'none'"), headers["content-security-policy"]);
        Assert.DoesNotContain("unsafe-inline", headers["content-security-policy"], StringComparison.Ordinal);
        Assert.True(headers.ContainsKey("content-encoding"), "The page is compressed.");
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync();
    }
}
