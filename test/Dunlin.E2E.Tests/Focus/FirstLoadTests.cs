using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>The first load of the page with a server that fails or does not answer.</summary>
public sealed class FirstLoadTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_first_load_says_loading_then_the_error_with_a_retry()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.InternalServerError);
        var page = await host.OpenAsync(browser.Browser, "alice", "/healthz/live");
        await page.Context.Clock.InstallAsync();
        // One route for all states: the page also retries by itself, so there must be no moment without one.
        // The working server answers after the click only, so that the page takes no button away before it.
        var (state, clicked) = ("hanging", new TaskCompletionSource());
        await page.RouteAsync(
            "**/api/tasks",
            async route =>
            {
                if (state == "failing")
                {
                    await route.FulfillAsync(new() { Status = 500, Body = "" });
                }
                else if (state == "working")
                {
                    await clicked.Task;
                    await route.ContinueAsync();
                }
            }
        );
        await page.GotoAsync(new Uri(host.Address, "/focus").ToString());
        await Expect(page.Locator("main[aria-busy=true]")).ToBeVisibleAsync();
        await Expect(page.Locator(".task-list")).ToContainTextAsync("Loading …");
        await Expect(page.Locator(".dial-word")).ToHaveTextAsync("Loading …");
        await Expect(page.GetByText("Nothing planned")).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Start" })).ToBeDisabledAsync();
        await page.Clock.RunForAsync(16_000);
        var trouble = page.GetByRole(AriaRole.Alert);
        await Expect(trouble).ToContainTextAsync("The server does not answer");
        await Expect(page.Locator(".task-list")).ToContainTextAsync("Not loaded");

        state = "failing";
        await trouble.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(trouble.GetByText("The server does not answer")).ToHaveCountAsync(0);
        await Expect(trouble.GetByRole(AriaRole.Button, new() { Name = "Try again" })).ToBeVisibleAsync();

        state = "working";
        await trouble.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        clicked.SetResult();
        await page.ReadyAsync();
        await Expect(trouble).ToHaveCountAsync(0);
        await Expect(page.Locator("[data-task]")).Not.ToHaveCountAsync(0);
    }
}
