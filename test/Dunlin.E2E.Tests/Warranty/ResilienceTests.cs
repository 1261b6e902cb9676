using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Warranty;

/// <summary>The warranty page when it reloads, and when the server fails or does not answer.</summary>
public sealed class ResilienceTests(BrowserFixture chromium) : IAsyncLifetime
{
    private const string Name = "customerName";
    private const string CaseList = "**/api/warranty/branches/1/cases?*";

    private TestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_reload_while_typing_saves_once_and_releases_the_lock()
    {
        var (bob, carol) = (
            await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob"),
            await WarrantyPage.OpenAsync(_host, chromium.Browser, "carol")
        );
        var editor = await bob.EditAsync(20, Name);
        await editor.FillAsync("Left in a hurry");
        await Expect(bob.Cell(20, Name)).ToHaveAttributeAsync("data-pending", "");
        await bob.Page.ReloadAsync();
        await bob.IsLiveAsync();
        await bob.ShowsAsync(20, Name, "Left in a hurry");
        await carol.ShowsAsync(20, Name, "Left in a hurry");
        await Expect(bob.Cell(20, Name)).Not.ToHaveAttributeAsync("data-pending", "");
        // The host's clock does not advance: the lock was released, and did not expire.
        await carol.EditAsync(20, Name);
        await Expect(bob.Lock(20, Name)).ToHaveAttributeAsync("title", "Locked by Carol Carter");
        await Expect(bob.Toasts).ToHaveCountAsync(0);
        using var client = await _host.ClientAsync("carol");
        var history = await client.GetFromJsonAsync<JsonElement>("/api/warranty/cases/20/history");
        Assert.Equal("Left in a hurry", Assert.Single(history.EnumerateArray()).GetProperty("newValue").GetString());
    }

    [Fact]
    public async Task A_save_that_fails_with_500_is_reverted_with_a_toast_and_the_text()
    {
        _host.ExpectRefusals(HttpStatusCode.InternalServerError);
        var bob = await WarrantyPage.OpenAsync(_host, chromium.Browser, "bob");
        var before = (await bob.Cell(20, Name).GetAttributeAsync("data-value"))!;
        await bob.Page.RouteAsync(
            "**/api/warranty/cases/20",
            route => route.Request.Method == "PATCH" ? route.FulfillAsync(new() { Status = 500 }) : route.ContinueAsync()
        );
        var editor = await bob.EditAsync(20, Name);
        await editor.FillAsync("Not for this server");
        await editor.PressAsync("Enter");
        await Expect(bob.Cell(20, Name)).ToHaveAttributeAsync("data-pending", "");
        await Expect(bob.Toasts).ToContainTextAsync("was not saved: the server reported an error");
        await bob.ShowsAsync(20, Name, before);
        await Expect(bob.Cell(20, Name)).Not.ToHaveAttributeAsync("data-pending", "");
        await bob.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await bob.Toasts.GetByText("Copy").ClickAsync();
        Assert.Equal("Not for this server", await bob.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
    }

    [Fact]
    public async Task A_failed_first_load_shows_an_error_and_retries_on_request()
    {
        _host.ExpectRefusals(HttpStatusCode.InternalServerError);
        var page = await _host.OpenAsync(chromium.Browser, "bob", "/api/v1/auth/status");
        var (isWorking, held) = (false, new TaskCompletionSource());
        await page.RouteAsync(
            CaseList,
            async route =>
            {
                if (isWorking)
                    await held.Task;
                await (isWorking ? route.ContinueAsync() : route.FulfillAsync(new() { Status = 500 }));
            }
        );
        await page.GotoAsync(new Uri(_host.Address, "/branch/1").ToString());
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The cases could not be loaded");
        await page.PictureAsync("warranty-load-failed");
        // No answer arrives before the click, also if the page loads again by itself meanwhile.
        isWorking = true;
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        held.SetResult();
        await Expect(page.Locator("[data-case-row='20']")).ToBeVisibleAsync();
        await new WarrantyPage(page).IsLiveAsync();
    }

    [Fact]
    public async Task A_hanging_first_load_shows_loading_then_an_error_with_retry()
    {
        var page = await _host.OpenAsync(chromium.Browser, "bob", "/api/v1/auth/status");
        await page.Clock.InstallAsync();
        var (isAnswering, clicked) = (false, new TaskCompletionSource());
        await page.RouteAsync(
            CaseList,
            async route =>
            {
                if (!isAnswering)
                    return;
                await clicked.Task;
                await route.ContinueAsync();
            }
        );
        var asked = page.WaitForRequestAsync(CaseList);
        await page.GotoAsync(new Uri(_host.Address, "/branch/1").ToString());
        await Expect(page.GetByRole(AriaRole.Status, new() { Name = "Loading cases" })).ToBeVisibleAsync();
        await asked;
        await page.Clock.RunForAsync(15_500);
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The server did not answer in time.");
        await page.PictureAsync("warranty-load-timeout");
        // No answer arrives before the click, also if the page loads again by itself meanwhile.
        isAnswering = true;
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        clicked.SetResult();
        await Expect(page.Locator("[data-case-row='20']")).ToBeVisibleAsync();
    }
}
