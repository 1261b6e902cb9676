using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

public sealed class LandingTests(BrowserFixture browser)
{
    [Fact]
    public async Task The_landing_page_signs_in_a_demo_account_and_links_the_systems()
    {
        await using var host = await TestHost.StartAsync();
        var page = await browser.Browser.NewPageAsync();
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("401", StringComparison.Ordinal))
                errors.Add(message.Text);
        };
        await page.GotoAsync(host.Address.ToString());
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("bob", System.Text.RegularExpressions.RegexOptions.IgnoreCase) })
            .First.ClickAsync();
        await Expect(page.GetByText("Bob Baker").First).ToBeVisibleAsync();
        await page.PictureAsync("landing");
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new("warranty", System.Text.RegularExpressions.RegexOptions.IgnoreCase) })
            .First.ClickAsync();
        await page.WaitForURLAsync("**/branch/**");
        Assert.Empty(errors);
        await page.Context.CloseAsync();
    }
}
