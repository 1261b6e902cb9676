using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>The page <c>/kit</c>: every shared part in each of its states.</summary>
public sealed class ComponentTests(BrowserFixture browser)
{
    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task Components_are_shown_in_every_state_without_a_sign_in(ColorScheme scheme, int width)
    {
        await using var host = await TestHost.StartAsync();
        var options = Axe.Still;
        options.ColorScheme = scheme;
        options.ViewportSize = new() { Width = width, Height = 1000 };
        var page = await (await host.ContextAsync(browser.Browser, options)).NewPageAsync();
        var requests = page.Watch(request => new Uri(request.Url).AbsolutePath.StartsWith("/api/", StringComparison.Ordinal));
        await page.GotoAsync(new Uri(host.Address, "/kit").ToString());

        string[] words = ["Real-time updates active", "Reconnecting", "Reconnecting", "Offline", "Offline", "Offline"];
        await Expect(page.Locator("main .connection")).ToHaveCountAsync(words.Length);
        await Expect(page.GetByText("Wrong user name or password.")).ToBeVisibleAsync();
        await Expect(page.GetByText("Too many attempts.")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Try again in [0-9]+ s$") })).ToBeVisibleAsync();
        foreach (var toast in new[] { "Information", "Error", "With an action", "With lost input" })
            await page.GetByRole(AriaRole.Button, new() { Name = toast, Exact = true }).ClickAsync();
        await Expect(page.Locator(".toast")).ToHaveCountAsync(4);
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Undone" })).ToBeVisibleAsync();
        Assert.Equal(0, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth"));
        await FullPictureAsync(page, $"kit-{scheme}");
        var axe = new Axe();
        await axe.CheckAsync(page, "toasts");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out with unsent changes" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await axe.CheckAsync(page, "dialog");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stay signed in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        foreach (var state in new[] { "gate", "gate-waiting", "unreachable", "sign-in" })
        {
            await page.GotoAsync(new Uri(host.Address, $"/kit?show={state}").ToString());
            await Expect(page.GetByRole(AriaRole.Heading).First).ToBeVisibleAsync();
            await page.PictureAsync($"kit-{state}-{scheme}");
        }
        axe.RequireNone();
        // The samples reach no server, so they can sign nobody in or out.
        Assert.Empty(requests);
        Assert.Null(await page.EvaluateAsync<string?>("() => localStorage.getItem('dunlin.session')"));
    }

    private static Task FullPictureAsync(IPage page, string name)
    {
        var folder = Environment.GetEnvironmentVariable("DUNLIN_PICTURES");
        return folder is null
            ? Task.CompletedTask
            : page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }
}
