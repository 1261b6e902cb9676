using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>The pages that open without a network, through their shared service worker.</summary>
public sealed class OfflineTests(BrowserFixture browser)
{
    // Waits for the installation. Its caches are complete then.
    private const string Installed = """
        async () => {
          await navigator.serviceWorker.ready;
          const paths = [];
          for (const name of await caches.keys())
            for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
          return paths;
        }
        """;

    // Replicache writes to the disk when the browser is idle.
    private const string Stored = """
        async text => {
          const done = request => new Promise(resolve => (request.onsuccess = () => resolve(request.result)));
          for (const { name } of await indexedDB.databases()) {
            const database = await done(indexedDB.open(name));
            for (const store of database.objectStoreNames) {
              const values = await done(database.transaction(store).objectStore(store).getAll());
              if (JSON.stringify(values).includes(text)) return true;
            }
            database.close();
          }
          return false;
        }
        """;

    [Theory]
    [InlineData("/todos/demo-desk", "todos", "[data-title='Answer the ringing group']", ".connection[data-connection=offline]")]
    [InlineData("/focus", "focus", "[role=alert]:has-text('The server cannot be reached')", "[role=alert] button:has-text('Try again')")]
    [InlineData("/wishlists/list/demo-birthday", "wishlists", "[data-item]:has-text('Cast iron teapot')", "[data-cloud=offline]")]
    public async Task A_page_reloads_without_a_network(string path, string name, string content, string state)
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", path, new() { Locale = "en-GB" });
        await SystemPage.Of(name).ReadyAsync(page);
        var cached = await page.EvaluateAsync<string[]>(Installed);
        Assert.Contains($"/{name}", cached);
        Assert.All(cached, file => Assert.Matches($"^/({name}|assets/[^/]+|{name}[-.][a-z0-9.-]+)$", file));

        if (name == "todos")
            await page.WaitForFunctionAsync(Stored, "Answer the ringing group");
        await page.Context.SetOfflineAsync(true);
        await page.ReloadAsync();
        await Expect(page.Locator(content).First).ToBeVisibleAsync();
        await Expect(page.Locator(state).First).ToBeVisibleAsync();
        await page.PictureAsync($"offline-{name}");

        // The server answers again, so the page is complete without a reload.
        await page.Context.SetOfflineAsync(false);
        await SystemPage.Of(name).ReadyAsync(page);

        // The worker has cached nothing since.
        Assert.Equal(cached.Order(), (await page.EvaluateAsync<string[]>(Installed)).Order());
    }

    [Fact]
    public async Task A_page_opens_without_a_server_and_shows_no_data_after_sign_out()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-desk");
        await SystemPage.Of("todos").ReadyAsync(page);
        await page.EvaluateAsync<JsonElement>(Installed);
        await page.WaitForFunctionAsync(Stored, "Answer the ringing group");
        await host.StopAsync();
        await page.ReloadAsync();
        await Expect(page.Locator("[data-title='Answer the ringing group']")).ToBeVisibleAsync();
        await TodoPages.AddAsync(page, "Made while the server was down");
        await Expect(page.Locator("[data-pending='1']")).ToBeVisibleAsync();
        await host.ContinueAsync();
        await SystemPage.Of("todos").ReadyAsync(page);
        await TodoPages.SentAsync(page);

        await page.Locator(".user-button").ClickAsync();
        // The stream may report the end of the session before the request is answered.
        await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync(),
            static response => response.Url.EndsWith("/api/v1/auth/logout", StringComparison.Ordinal)
        );
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync();
        await page.Context.SetOfflineAsync(true);
        await page.ReloadAsync();
        await Expect(page.Locator("[data-gate]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-task], [data-list]")).ToHaveCountAsync(0);
    }
}
