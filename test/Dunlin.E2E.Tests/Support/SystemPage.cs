using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Documents;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// Describes one of the five pages for shared tests: its address, its content for alice, how to change something, and the server's data.
/// </summary>
internal abstract class SystemPage
{
    public static IReadOnlyList<string> Names { get; } = ["todos", "warranty", "documents", "focus", "wishlists"];

    public const string Change = "Typed without a network";

    public abstract string Path { get; }

    /// <summary>Text that the page displays to alice, in an element or a field.</summary>
    public abstract string Data { get; }

    /// <summary>Waits until the page is displayed and live.</summary>
    public abstract Task ReadyAsync(IPage page);

    /// <summary>Makes a change that cannot be sent, and waits until the page has stored it.</summary>
    public abstract Task ChangeAsync(IPage page);

    /// <summary>
    /// Checks, after the same user signed in again, that the change still exists and is sent if the page sends it automatically.
    /// </summary>
    public abstract Task GoesOnAsync(IPage page, Func<Task<string>> server);

    /// <summary>Returns all server data of a user.</summary>
    public abstract Task<string> ServerAsync(HttpClient user);

    public static SystemPage Of(string name) =>
        name switch
        {
            "todos" => new TodosPage(),
            "warranty" => new WarrantyTable(),
            "documents" => new DocumentsPage(),
            "focus" => new FocusPage(),
            _ => new WishlistsPage(),
        };

    /// <summary>Blocks all requests except reads and those for signing in and out.</summary>
    public static Task BlockWritesAsync(IPage page) =>
        page.RouteAsync(
            "**/api/**",
            route =>
            {
                string[] open = ["/auth/", "lock", "/heartbeat", "/pull"];
                var isOpen = route.Request.Method == "GET" || open.Any(part => route.Request.Url.Contains(part, StringComparison.Ordinal));
                return isOpen ? route.ContinueAsync() : route.AbortAsync();
            }
        );

    private static async Task ArrivesAsync(Func<Task<string>> server)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!(await server()).Contains(Change, StringComparison.Ordinal))
            patience.Token.ThrowIfCancellationRequested();
    }

    private sealed class TodosPage : SystemPage
    {
        public override string Path => "/todos/demo-desk";

        public override string Data => "Answer the ringing group";

        public override async Task ReadyAsync(IPage page)
        {
            await Expect(page.Locator(".connection[data-connection=live]")).ToBeVisibleAsync();
            await Expect(page.Locator("[data-task]").First).ToBeVisibleAsync();
        }

        public override async Task ChangeAsync(IPage page)
        {
            await page.Locator(".new-entry input").FillAsync(Change);
            await page.Locator(".new-entry input").PressAsync("Enter");
            await Expect(page.Locator("[data-pending='1']")).ToBeVisibleAsync();
        }

        public override Task GoesOnAsync(IPage page, Func<Task<string>> server) => ArrivesAsync(server);

        public override async Task<string> ServerAsync(HttpClient user)
        {
            var group = Guid.NewGuid().ToString("N");
            var request = new
            {
                pullVersion = 1,
                clientGroupID = group,
                profileID = "p",
                schemaVersion = "1",
                cookie = (object?)null,
            };
            using var pull = await user.PostAsJsonAsync("/api/v1/replicache/pull", request);
            return await pull.Content.ReadAsStringAsync();
        }
    }

    private sealed class WarrantyTable : SystemPage
    {
        private const string Field = "[data-case='20'][data-field='customerName']";

        public override string Path => "/branch/1";

        public override string Data => "data-value";

        public override async Task ReadyAsync(IPage page)
        {
            await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync();
            await Expect(page.Locator(Field)).ToBeVisibleAsync();
        }

        public override async Task ChangeAsync(IPage page)
        {
            await page.Locator(Field).ClickAsync();
            var editor = page.Locator(Field).Locator("input");
            await editor.FillAsync(Change);
            await editor.PressAsync("Enter");
            await Expect(page.Locator($"{Field}[data-pending]")).ToBeVisibleAsync();
        }

        public override Task GoesOnAsync(IPage page, Func<Task<string>> server) => ArrivesAsync(server);

        public override Task<string> ServerAsync(HttpClient user) => user.GetStringAsync("/api/warranty/branches/1/cases?limit=100");
    }

    private sealed class DocumentsPage : SystemPage
    {
        public override string Path => "/documents";

        public override string Data => "Testimonial for a keeper";

        public override Task ReadyAsync(IPage page) => new DocumentPage(page).ReadyAsync();

        public override async Task ChangeAsync(IPage page)
        {
            var document = new DocumentPage(page);
            await OpenAsync(page);
            await document.IsEditableAsync();
            await document.TypeAsync($"<letter>{Change}</letter>");
        }

        // A draft is kept for its user and never sent automatically.
        public override async Task GoesOnAsync(IPage page, Func<Task<string>> server)
        {
            await OpenAsync(page);
            await Expect(page.Locator("[data-editor] .cm-content")).ToContainTextAsync(Change);
            Assert.DoesNotContain(Change, await server(), StringComparison.Ordinal);
        }

        public override async Task<string> ServerAsync(HttpClient user)
        {
            var list = await user.GetFromJsonAsync<JsonElement>("/api/v1/files/list");
            var texts = list.GetProperty("documents")
                .EnumerateArray()
                .SelectMany(document => document.GetProperty("files").EnumerateArray())
                .Select(file => user.GetStringAsync($"/api/v1/files/{file.GetProperty("stable_id").GetString()}"));
            return string.Concat(await Task.WhenAll(texts));
        }

        // Opens the first file that alice and carol see and may write.
        private static async Task OpenAsync(IPage page)
        {
            if (await page.Locator("main[data-open='']").CountAsync() == 0)
                return;
            await page.Locator("[data-file]").First.ClickAsync();
            await Expect(page.Locator("main[data-open]:not([data-mode=loading]):not([data-open=''])")).ToHaveCountAsync(1);
        }
    }

    private sealed class FocusPage : SystemPage
    {
        public override string Path => "/focus";

        public override string Data => "Plan the workshop";

        public override async Task ReadyAsync(IPage page)
        {
            await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync();
            await Expect(page.Locator("main[data-loaded=true]")).ToBeVisibleAsync();
        }

        public override async Task ChangeAsync(IPage page)
        {
            await page.GetByLabel("New task").FillAsync(Change);
            await page.GetByLabel("New task").PressAsync("Enter");
            await Expect(page.Locator("[data-task]", new() { HasText = Change }).GetByText("Waiting")).ToBeVisibleAsync();
        }

        public override Task GoesOnAsync(IPage page, Func<Task<string>> server) => ArrivesAsync(server);

        public override Task<string> ServerAsync(HttpClient user) => user.GetStringAsync("/api/tasks");
    }

    private sealed class WishlistsPage : SystemPage
    {
        public override string Path => "/wishlists/list/demo-birthday";

        public override string Data => "Cast iron teapot";

        public override Task ReadyAsync(IPage page) => Expect(page.Locator("[data-cloud=synced]")).ToBeVisibleAsync();

        public override async Task ChangeAsync(IPage page)
        {
            await page.Locator("[data-field=add]").FillAsync(Change);
            await page.Locator("[data-field=add]").PressAsync("Enter");
            await Expect(page.Locator("[data-cloud][data-pending='1']")).ToBeVisibleAsync();
        }

        public override Task GoesOnAsync(IPage page, Func<Task<string>> server) => ArrivesAsync(server);

        public override Task<string> ServerAsync(HttpClient user) => user.GetStringAsync("/api/v1/sync/pull/items?limit=500");
    }
}
