using Dunlin.E2E.Tests.Documents;
using Dunlin.TestKit;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Two users who take turns in one browser profile, with three tabs each, on all five pages.</summary>
public sealed class PrivacyTests(BrowserFixture browser)
{
    private static readonly string[] Users = ["bob", "dave"];

    // Four turns of five pages.
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(30) / 20;

    [Fact]
    public async Task Users_of_one_browser_see_send_and_store_nothing_of_each_other()
    {
        await using var host = await TestHost.StartAsync();
        var random = TestSeed.NewRandom(out _);
        var context = await host.ContextAsync(browser.Browser, new() { Locale = "en-GB" });
        var log = new PrivacyLog(context, Users);
        var tabs = new List<IPage>();
        await SignInByApiAsync(host, context, Users[0]);
        for (var turn = 0; turn < 4; turn++)
        {
            var user = Users[turn % 2];
            log.Signed(user);
            // The tabs of the first two turns stay open for the later ones.
            for (var i = 0; turn < 2 && i < 3; i++)
                tabs.Add(await context.NewPageAsync());
            var names = SystemPage.Names.ToArray();
            random.Shuffle(names);
            foreach (var name in names)
            {
                var tab = tabs[random.Next(tabs.Count)];
                await tab.GotoAsync(new Uri(host.Address, PathOf(name, user)).ToString());
                await Expect(tab.Locator($"[data-user={user}]")).ToBeVisibleAsync();
                await WriteAsync(tab, name, $"Secret of {user} {turn}");
                host.Time.Advance(Step);
                await log.RequireSeparateAsync(tabs);
            }
            await log.RequireStoredSeparatelyAsync(tabs);
            if (turn == 3)
                break;
            var next = Users[(turn + 1) % 2];
            if (random.Next(2) == 0)
                await SignOutAndInAsync(tabs, random, next);
            else
                await ReplaceSessionAsync(host, context, tabs, next);
        }
        log.RequireTraffic();
    }

    private static async Task SignOutAndInAsync(List<IPage> tabs, Random random, string next)
    {
        var open = tabs.Where(tab => tab.Url != "about:blank").ToArray();
        var tab = open[random.Next(open.Length)];
        await tab.Locator(".user-button").ClickAsync();
        await tab.Locator("#user-menu").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        // Unsent changes stay on the device for their user.
        await Expect(tab.Locator("[data-gate], dialog[data-unsent]").First).ToBeVisibleAsync();
        var question = tab.Locator("dialog[data-unsent]");
        if (await question.CountAsync() > 0)
            await question.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        foreach (var each in open)
            await Expect(each.Locator("[data-gate]")).ToBeVisibleAsync();
        await open[random.Next(open.Length)].Locator($"[data-account={next}]").ClickAsync();
        foreach (var each in open)
            await Expect(each.Locator($"[data-user={next}]")).ToBeVisibleAsync();
    }

    // The cookie changes without a message to the tabs, as when another profile tool or an old tab signs in.
    private static async Task ReplaceSessionAsync(TestHost host, IBrowserContext context, List<IPage> tabs, string next)
    {
        await SignInByApiAsync(host, context, next);
        foreach (var tab in tabs.Where(tab => tab.Url != "about:blank"))
        {
            try
            {
                await tab.EvaluateAsync("() => void dispatchEvent(new Event('online'))");
            }
            catch (PlaywrightException error) when (error.Message.Contains("navigation", StringComparison.Ordinal))
            {
                // The page has noticed the change already, and reloads.
            }
            await Expect(tab.Locator($"[data-user={next}]")).ToBeVisibleAsync();
        }
    }

    private static async Task SignInByApiAsync(TestHost host, IBrowserContext context, string user)
    {
        var login = await context.APIRequest.PostAsync(
            new Uri(host.Address, "/api/v1/auth/login").ToString(),
            new() { DataObject = new { username = user, password = Dunlin.Host.DemoData.Password } }
        );
        Assert.True(login.Ok, await login.TextAsync());
    }

    // Bob and Dave have no branch in common.
    private static string PathOf(string name, string user) =>
        name switch
        {
            "warranty" => user == "bob" ? "/branch/1" : "/branch/3",
            "todos" => "/todos",
            "wishlists" => "/wishlists",
            _ => SystemPage.Of(name).Path,
        };

    private static Task WriteAsync(IPage tab, string name, string secret) =>
        name switch
        {
            "todos" => SubmitAsync(tab.GetByLabel("Name of a new list"), secret),
            "focus" => SubmitAsync(tab.GetByLabel("New task"), secret),
            "wishlists" => SubmitAsync(tab.Locator("[data-field=new-list]"), secret),
            "warranty" => EditCaseAsync(tab, secret),
            _ => EditDocumentAsync(tab, secret),
        };

    private static async Task SubmitAsync(ILocator field, string text)
    {
        await field.FillAsync(text);
        await field.PressAsync("Enter");
        await Expect(field).ToHaveValueAsync("");
    }

    private static async Task EditCaseAsync(IPage tab, string secret)
    {
        var cell = tab.Locator("[data-case][data-field=customerName]").First;
        await cell.ClickAsync();
        await cell.Locator("input").FillAsync(secret);
        await cell.Locator("input").PressAsync("Enter");
        await Expect(cell).ToHaveAttributeAsync("data-value", secret);
    }

    // A draft of the first document that the user may change. Dave may change none.
    private static async Task EditDocumentAsync(IPage tab, string secret)
    {
        var page = new DocumentPage(tab);
        await page.ReadyAsync();
        var ids = await tab.Locator("[data-file]").EvaluateAllAsync<string[]>("files => files.map(file => file.dataset.file)");
        foreach (var id in ids)
        {
            await page.OpenFileAsync(id);
            if (await page.Editor.CountAsync() == 0 || await page.Editor.GetAttributeAsync("data-editor") != "editable")
                continue;
            await page.TypeAsync($"<letter>{secret}</letter>");
            return;
        }
    }
}
