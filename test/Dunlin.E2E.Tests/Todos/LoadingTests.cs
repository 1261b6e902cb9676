using System.Net;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>The first load of the lists in a new browser, and the texts of the stream page.</summary>
public sealed class LoadingTests(BrowserFixture browser)
{
    private const string Pull = "**/api/v1/replicache/pull*";

    // WCAG 2.2, 1.4.3: the ratio of two opaque colours.
    private const string Contrast = """
        element => {
          const canvas = document.createElement('canvas').getContext('2d');
          const light = color => {
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
              .map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const style = getComputedStyle(element);
          const [one, other] = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
          return (one + 0.05) / (other + 0.05);
        }
        """;

    [Fact]
    public async Task A_failed_first_load_shows_an_error_until_the_lists_arrive()
    {
        await using var host = await TestHost.StartAsync();
        host.ExpectRefusals(HttpStatusCode.InternalServerError);
        var context = await host.ContextAsync(browser.Browser);
        await context.RouteAsync(Pull, route => route.FulfillAsync(new() { Status = 500, Body = "" }));
        var page = await OpenAsync(host, context, "/todos");
        await Expect(page.Locator("[data-load=failed]").First).ToContainTextAsync("Your lists could not be loaded.");
        await Expect(page.GetByText("No lists yet")).ToHaveCountAsync(0);
        await page.PictureAsync("todos-load-failed");
        // Each try fails until the server works again. Then the page continues without a click.
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.Locator("[data-load=failed]")).ToHaveCountAsync(1);
        await context.UnrouteAllAsync();
        await Expect(page.Locator("[data-list=demo-trip]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-load]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_server_that_hangs_shows_loading_then_an_error_with_a_retry()
    {
        await using var host = await TestHost.StartAsync();
        var context = await host.ContextAsync(browser.Browser);
        var (isHanging, clicked) = (true, new TaskCompletionSource());
        // The first requests are never answered. Later ones wait for the click, so that the page takes no button away before it.
        await context.RouteAsync(
            Pull,
            async route =>
            {
                if (isHanging)
                    return;
                await clicked.Task;
                await route.ContinueAsync();
            }
        );
        var page = await OpenAsync(host, context, "/todos/demo-trip");
        await Expect(page.Locator("main [data-load=loading]")).ToBeVisibleAsync();
        await Expect(page.GetByText("This list is not here")).ToHaveCountAsync(0);
        await Expect(page.Locator("main [data-load=failed]")).ToContainTextAsync("The server does not answer.");
        isHanging = false;
        await page.Locator("main").GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        clicked.SetResult();
        await Expect(page.Locator("[data-task]")).ToHaveCountAsync(4);
    }

    [Fact]
    public async Task A_user_without_lists_is_told_so_after_the_first_load()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "dave", "/todos");
        await Expect(page.GetByText("No lists yet")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-load]")).ToHaveCountAsync(0);
    }

    [Theory]
    [Trait("Needs", "EventSource")]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task The_states_of_the_stream_page_have_contrast(ColorScheme scheme)
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "bob", "/todos/stream", new() { ColorScheme = scheme });
        var state = page.Locator("[data-stream]");
        await Expect(page.Locator("[data-stream=open]")).ToBeVisibleAsync();
        Assert.InRange(await state.EvaluateAsync<double>(Contrast), 4.5, 21);
        await page.GetByRole(AriaRole.Button, new() { Name = "Disconnect" }).ClickAsync();
        await Expect(page.Locator("[data-stream=closed]")).ToBeVisibleAsync();
        Assert.InRange(await state.EvaluateAsync<double>(Contrast), 4.5, 21);
    }

    private static async Task<IPage> OpenAsync(TestHost host, IBrowserContext context, string path)
    {
        var login = await context.APIRequest.PostAsync(
            new Uri(host.Address, "/api/v1/auth/login").ToString(),
            new() { DataObject = new { username = "alice", password = Dunlin.Host.DemoData.Password } }
        );
        Assert.True(login.Ok);
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(host.Address, path).ToString());
        return page;
    }
}
