using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Each page when its user signs out, or another user signs in, in this tab or another.</summary>
public sealed class SessionChangeTests(BrowserFixture browser)
{
    private const string Text = """
        () => {
          const fields = [...document.querySelectorAll('input, textarea')].map(field => field.value);
          return [document.title, document.body.outerHTML, ...fields].join('\n');
        }
        """;

    public static TheoryData<string> Systems => [.. SystemPage.Names];

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Sign_out_clears_the_document_and_stops_all_requests(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await host.OpenAsync(browser.Browser, "alice", system.Path);
        await system.ReadyAsync(page);
        Assert.Contains(system.Data, await page.EvaluateAsync<string>(Text), StringComparison.Ordinal);

        await page.Locator(".user-button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await IsClosedAsync(page, system);
        await page.PictureAsync($"signed-out-{name}");

        var requests = page.Watch(request =>
            new Uri(request.Url).AbsolutePath is var path
            && (path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/dunlin/", StringComparison.Ordinal))
        );
        await page.EvaluateAsync(
            """
            () => {
              for (const event of ['online', 'focus', 'pageshow']) dispatchEvent(new Event(event));
              document.dispatchEvent(new Event('visibilitychange'));
              return fetch('/api/v1/demo');
            }
            """
        );
        Assert.All(requests, request => Assert.Matches("/api/v1/(auth/status|demo)$", request.Url));
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Sign_out_in_another_tab_closes_the_page_and_counts_pending_changes(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await host.OpenAsync(browser.Browser, "alice", system.Path);
        await system.ReadyAsync(page);
        await SystemPage.BlockWritesAsync(page);
        await system.ChangeAsync(page);
        var other = await page.Context.NewPageAsync();
        await other.GotoAsync(host.Address.ToString());
        await other.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).First.ClickAsync();

        await IsClosedAsync(page, system);
        await Expect(page.Locator("[data-waiting='1']")).ToBeVisibleAsync();
        await page.PictureAsync($"signed-out-waiting-{name}");
        using var alice = await host.ClientAsync("alice");
        Assert.DoesNotContain(SystemPage.Change, await system.ServerAsync(alice), StringComparison.Ordinal);

        await page.UnrouteAllAsync();
        await page.Locator("[data-account=alice]").ClickAsync();
        await system.ReadyAsync(page);
        await system.GoesOnAsync(page, () => system.ServerAsync(alice));
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Another_users_sign_in_shows_and_sends_nothing_of_the_first_user(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await host.OpenAsync(browser.Browser, "alice", system.Path);
        await system.ReadyAsync(page);
        await SystemPage.BlockWritesAsync(page);
        await system.ChangeAsync(page);
        var refusals = new List<string>();
        page.Response += (_, response) =>
        {
            lock (refusals)
                if (response.Status is 401 or 403 or 409)
                    refusals.Add($"{response.Status} {response.Request.Method} {response.Url}");
        };

        // The cookie changes without a message to the tabs: the hardest case of a user change.
        var login = await page.Context.APIRequest.PostAsync(
            new Uri(host.Address, "/api/v1/auth/login").ToString(),
            new() { DataObject = new { username = "carol", password = Dunlin.Host.DemoData.Password } }
        );
        Assert.True(login.Ok);
        await page.UnrouteAllAsync();
        await Expect(page.Locator("[data-user=carol]")).ToBeVisibleAsync();
        Assert.DoesNotContain(SystemPage.Change, await page.EvaluateAsync<string>(Text), StringComparison.Ordinal);
        foreach (var user in new[] { "alice", "carol" })
        {
            using var client = await host.ClientAsync(user);
            Assert.DoesNotContain(SystemPage.Change, await system.ServerAsync(client), StringComparison.Ordinal);
        }

        // Alice again: her changes still exist and are sent as hers.
        await page.Locator(".user-button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.Locator("[data-account=alice]").ClickAsync();
        await Expect(page.Locator("[data-user=alice]")).ToBeVisibleAsync();
        await page.GotoAsync(new Uri(host.Address, system.Path).ToString());
        await system.ReadyAsync(page);
        using var alice = await host.ClientAsync("alice");
        await system.GoesOnAsync(page, () => system.ServerAsync(alice));
        Assert.True(refusals.Count <= 12, string.Join('\n', refusals));
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task A_session_ended_at_the_server_closes_the_page(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await host.OpenAsync(browser.Browser, "alice", system.Path);
        await system.ReadyAsync(page);
        var logout = await page.Context.APIRequest.PostAsync(new Uri(host.Address, "/api/v1/auth/logout").ToString());
        Assert.True(logout.Ok);
        await IsClosedAsync(page, system);
    }

    [Fact]
    public async Task Sign_out_with_unsent_changes_asks_first()
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of("todos");
        var page = await host.OpenAsync(browser.Browser, "alice", system.Path);
        await system.ReadyAsync(page);
        await SystemPage.BlockWritesAsync(page);
        await system.ChangeAsync(page);
        await page.Locator(".user-button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.Locator("dialog[data-unsent='1']")).ToContainTextAsync("sent when Alice Archer signs in here again");
        await page.PictureAsync("sign-out-unsent");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stay signed in" }).ClickAsync();
        await Expect(page.Locator("[data-user=alice]")).ToBeVisibleAsync();
        await page.Locator(".user-button").ClickAsync();
        await page.Locator("#user-menu").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.Locator("dialog[data-unsent]").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await IsClosedAsync(page, system);
    }

    [Theory]
    [InlineData(ColorScheme.Dark, 390)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Light, 1280)]
    public async Task The_sign_in_fits_the_window(ColorScheme scheme, int width)
    {
        await using var host = await TestHost.StartAsync();
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = width, Height = 844 },
            ColorScheme = scheme,
        };
        var page = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-desk", options);
        await SystemPage.Of("todos").ReadyAsync(page);
        await SystemPage.BlockWritesAsync(page);
        await SystemPage.Of("todos").ChangeAsync(page);
        await page.Context.APIRequest.PostAsync(new Uri(host.Address, "/api/v1/auth/logout").ToString());
        await page.UnrouteAllAsync();
        await Expect(page.Locator("[data-gate] [data-account=alice]")).ToBeVisibleAsync();
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await page.PictureAsync($"gate-{scheme}-{width}");
    }

    private static async Task IsClosedAsync(IPage page, SystemPage system)
    {
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync();
        var text = await page.EvaluateAsync<string>(Text);
        string[] traces = [system.Data, SystemPage.Change, "data-case", "data-task", "data-file", "data-item", "data-list", "data-user"];
        Assert.All(traces, trace => Assert.DoesNotContain(trace, text, StringComparison.Ordinal));
    }
}
