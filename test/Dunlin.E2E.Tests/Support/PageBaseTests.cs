using System.Text.Json;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>What every page has from the kit: a skip link, visible focus, stillness, print, and an installable manifest.</summary>
public sealed class PageBaseTests(BrowserFixture browser)
{
    public static TheoryData<string> Systems => [.. SystemPage.Names];

    public static TheoryData<string> Paths => ["/", "/documents", "/todos", "/branch/1", "/branch", "/focus", "/wishlists"];

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Keyboard_skips_the_header_and_shows_its_focus(string name)
    {
        await using var host = await TestHost.StartAsync();
        var system = SystemPage.Of(name);
        var page = await host.OpenAsync(browser.Browser, "alice", system.Path, new() { ReducedMotion = ReducedMotion.Reduce });
        await system.ReadyAsync(page);
        var skip = page.GetByRole(AriaRole.Button, new() { Name = "Skip to the content" });
        await page.Locator("body").PressAsync("Tab");
        await Expect(skip).ToBeFocusedAsync();
        await Expect(skip).ToBeInViewportAsync();
        Assert.Equal("solid", await skip.EvaluateAsync<string>("button => getComputedStyle(button).outlineStyle"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".page-body")).ToBeFocusedAsync();
        Assert.Equal(system.Path, new Uri(page.Url).AbsolutePath);
        await page.Keyboard.PressAsync("Tab");
        Assert.True(await page.EvaluateAsync<bool>("() => document.activeElement.closest('.page-body') !== null"));
        Assert.Equal("solid", await page.EvaluateAsync<string>("() => getComputedStyle(document.activeElement).outlineStyle"));

        // Nothing moves where the user asked for stillness, not even a spinner or a pulse.
        var moving = "() => document.getAnimations().filter(each => each.playState === 'running').length";
        Assert.Equal(0, await page.EvaluateAsync<int>(moving));

        await page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = ColorScheme.Dark });
        foreach (var part in new[] { ".header-account", ".connection", ".skip" })
            await Expect(page.Locator(part)).ToBeHiddenAsync();
        // Paper is white, also when the screen is dark.
        Assert.Equal("rgb(29, 37, 35)", await page.EvaluateAsync<string>("() => getComputedStyle(document.body).color"));
        Assert.Equal("rgba(0, 0, 0, 0)", await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Page_is_installable_with_a_name_icons_and_a_start(string path)
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", "/no-such-page");
        await page.GotoAsync(new Uri(host.Address, path).ToString());
        // Not an evaluation: a page may forward to another one, and a navigation ends evaluations.
        var link = await page.Locator("link[rel=manifest]").GetAttributeAsync("href");
        var manifest = (await (await page.APIRequest.GetAsync(new Uri(host.Address, link).ToString())).JsonAsync())!.Value;
        Assert.StartsWith("Dunlin", manifest.GetProperty("name").GetString(), StringComparison.Ordinal);
        var (start, scope) = (manifest.GetProperty("start_url").GetString()!, manifest.GetProperty("scope").GetString()!);
        Assert.StartsWith(scope, start, StringComparison.Ordinal);
        Assert.StartsWith(scope, path, StringComparison.Ordinal);
        Assert.Equal(200, (await page.APIRequest.GetAsync(new Uri(host.Address, start).ToString())).Status);
        foreach (var icon in manifest.GetProperty("icons").EnumerateArray())
        {
            var answer = await page.APIRequest.GetAsync(new Uri(host.Address, icon.GetProperty("src").GetString()).ToString());
            Assert.Equal((200, icon.GetProperty("type").GetString()), (answer.Status, answer.Headers["content-type"]));
        }
        var session = await page.Context.NewCDPSessionAsync(page);
        var errors = (await session.SendAsync("Page.getInstallabilityErrors"))!.Value.GetProperty("installabilityErrors");
        // A test context counts as a private window.
        string[] ids = [.. errors.EnumerateArray().Select(error => error.GetProperty("errorId").GetString()!)];
        Assert.Equal([], ids.Where(id => id != "in-incognito"));
    }
}
