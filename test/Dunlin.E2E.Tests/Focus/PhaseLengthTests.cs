using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

public sealed class PhaseLengthTests(BrowserFixture browser)
{
    [Fact]
    public async Task Adjusted_lengths_and_a_long_break_apply_on_every_device()
    {
        await using var host = await TestHost.StartAsync();
        var laptop = await host.OpenFocusAsync(browser);
        var phone = await host.OpenFocusAsync(
            browser,
            new()
            {
                ViewportSize = new() { Width = 390, Height = 844 },
            }
        );
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Adjust the lengths" }).ClickAsync();
        await laptop.GetByLabel("Focus, minutes").FillAsync("10");
        await laptop.GetByLabel("Break, minutes", new() { Exact = true }).FillAsync("2");
        await laptop.GetByLabel("Long break", new() { Exact = true }).CheckAsync();
        await laptop.GetByLabel("Long break, minutes").FillAsync("20");
        await laptop.GetByLabel("After focus phases").FillAsync("2");
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(laptop.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(phone.GetByText("Pomodoro 10 / 2")).ToBeVisibleAsync();
        await Expect(phone.Locator("[data-clock]")).ToHaveTextAsync("10:00");

        await phone.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await phone.LooksAsync("running");
        host.Time.Advance(TimeSpan.FromMinutes(10));
        await phone.LooksAsync("break");
        await Expect(phone.Locator(".dial-word")).ToHaveTextAsync("Break");
        host.Time.Advance(TimeSpan.FromMinutes(2));
        await phone.LooksAsync("running");
        host.Time.Advance(TimeSpan.FromMinutes(10));
        await phone.LooksAsync("break");
        await Expect(phone.Locator(".dial-word")).ToHaveTextAsync("Long break");
        await Expect(laptop.Locator("[data-clock]")).ToHaveTextAsync(new Regex("^(20:00|19:5)"));
    }
}
