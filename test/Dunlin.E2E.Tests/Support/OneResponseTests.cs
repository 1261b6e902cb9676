using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Streams.Combined;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Over HTTP/1.1 a browser opens six connections to a host. The streams of all open pages together use one.</summary>
public sealed class OneResponseTests(BrowserFixture browser)
{
    // Seven stream addresses in four formats: more than six connections.
    private static readonly string[] Paths =
    [
        "/documents",
        "/todos/demo-trip",
        "/branch/1",
        "/branch/2",
        "/branch/3",
        "/focus",
        "/wishlists/list/demo-birthday",
        "/documents",
    ];

    [Fact]
    public async Task Eight_tabs_share_one_response_and_survive_the_end_of_its_holder()
    {
        await using var host = await TestHost.StartAsync();
        var tabs = new List<IPage> { await host.OpenAsync(browser.Browser, "alice", Paths[0]) };
        await IsLiveAsync(tabs[0]);
        foreach (var path in Paths[1..])
        {
            tabs.Add(await tabs[0].Context.NewPageAsync());
            await tabs[^1].GotoAsync(new Uri(host.Address, path).ToString());
            await IsLiveAsync(tabs[^1]);
        }
        var responses = host.Services.GetRequiredService<CombinedStreams>();
        Assert.Equal(1, responses.Count);
        Assert.Equal(7, host.Services.GetRequiredService<EventFanout>().OfUser("alice").Count);
        using var changes = await Changes.StartAsync(host, browser);
        await changes.MakeAsync("one");
        foreach (var (tab, path) in tabs.Zip(Paths))
            await changes.ShowsAsync(tab, path, "one");

        // The first tab was alone at first, so it holds the response. Changes during its end are not lost.
        var closing = tabs[0].CloseAsync(new PageCloseOptions { RunBeforeUnload = false });
        await changes.MakeAsync("two");
        await closing;
        await changes.MakeAsync("three");
        foreach (var (tab, path) in tabs.Zip(Paths).Skip(1))
        {
            await changes.ShowsAsync(tab, path, "two");
            await changes.ShowsAsync(tab, path, "three");
            await IsLiveAsync(tab);
        }
        // One response for Alice and one for Bob.
        Assert.Equal(2, responses.Count);
        // A request finds a free connection.
        Assert.Equal(200, await tabs[7].EvaluateAsync<int>("() => fetch('/api/v1/auth/status').then(answer => answer.status)"));
    }

    [Fact]
    public async Task Without_Web_Locks_tabs_still_share_one_response()
    {
        await using var host = await TestHost.StartAsync();
        await using var chromium = await ChromiumBrowser.StartAsync("--host-resolver-rules=MAP lan.example 127.0.0.1");
        var address = new UriBuilder(host.Address) { Host = "lan.example" }.Uri;
        await using var context = await chromium.Browser.NewContextAsync();
        context.SetDefaultTimeout(30_000);
        var first = await context.NewPageAsync();
        await first.GotoAsync(new Uri(address, "/healthz/live").ToString());
        Assert.False(await first.EvaluateAsync<bool>("() => isSecureContext || 'locks' in navigator"));
        Assert.Equal(
            200,
            await first.EvaluateAsync<int>(
                """
                password => fetch('/api/v1/auth/login', {
                  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username: 'alice', password })
                }).then(answer => answer.status)
                """,
                Host.DemoData.Password
            )
        );
        string[] paths = ["/documents", "/branch/1", "/branch/2", "/branch/3", "/focus", "/documents", "/branch/1"];
        var tabs = new List<IPage>();
        foreach (var path in paths)
        {
            tabs.Add(tabs.Count == 0 ? first : await context.NewPageAsync());
            await tabs[^1].GotoAsync(new Uri(address, path).ToString());
            await IsLiveAsync(tabs[^1]);
        }
        var responses = host.Services.GetRequiredService<CombinedStreams>();
        Assert.Equal(1, responses.Count);
        Assert.Equal(5, host.Services.GetRequiredService<EventFanout>().OfUser("alice").Count);
        using var changes = await Changes.StartAsync(host, browser: null);
        await changes.MakeAsync("one");
        foreach (var (tab, path) in tabs.Zip(paths))
            await changes.ShowsAsync(tab, path, "one");
        await first.CloseAsync();
        await changes.MakeAsync("two");
        foreach (var (tab, path) in tabs.Zip(paths).Skip(1))
        {
            await changes.ShowsAsync(tab, path, "two");
            await IsLiveAsync(tab);
        }
        Assert.Equal(1, responses.Count);
    }

    private static Task IsLiveAsync(IPage page) =>
        Expect(page.Locator("[data-connection=live], [data-cloud=synced]").First).ToBeVisibleAsync();

    /// <summary>Changes by other users and devices, one in each system.</summary>
    private sealed class Changes : IDisposable
    {
        private readonly HttpClient _alice;
        private readonly IPage? _todos;
        private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
        private readonly Dictionary<int, long> _cases = [];

        private Changes(HttpClient alice, IPage? todos) => (_alice, _todos) = (alice, todos);

        public static async Task<Changes> StartAsync(TestHost host, BrowserFixture? browser)
        {
            var alice = await host.ClientAsync("alice");
            alice.DefaultRequestHeaders.Add("Dunlin-Device", "tablet");
            var todos = browser is null ? null : await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip");
            if (todos is not null)
                await IsLiveAsync(todos);
            var changes = new Changes(alice, todos);
            for (var branch = 1; branch <= 3; branch++)
            {
                var page = await alice.GetFromJsonAsync<JsonElement>($"/api/warranty/branches/{branch}/cases");
                changes._cases[branch] = page.GetProperty("items")[0].GetProperty("id").GetInt64();
            }
            var list = await alice.GetFromJsonAsync<JsonElement>("/api/v1/files/list");
            var files = list.GetProperty("documents")
                .EnumerateArray()
                .SelectMany(document => document.GetProperty("files").EnumerateArray())
                .ToList();
            foreach (var (word, file) in new[] { "one", "two", "three" }.Zip(files))
                changes._files[word] = file.GetProperty("stable_id").GetString()!;
            return changes;
        }

        public async Task MakeAsync(string word)
        {
            await SendAsync(HttpMethod.Post, "/api/tasks", new { title = $"Task {word}" });
            await SendAsync(HttpMethod.Post, "/api/v1/wishlists/demo-birthday/items", new { title = $"Wish {word}" });
            // Another session of the user: its lock appears to the tabs as another holder's.
            await SendAsync(HttpMethod.Post, "/api/v1/files/acquire_lock", new { file_id = _files[word] });
            foreach (var (_, id) in _cases)
                await SendAsync(
                    HttpMethod.Patch,
                    $"/api/warranty/cases/{id}",
                    new { updates = new Dictionary<string, string> { [FieldOf(word)] = $"Changed {word}" } }
                );
            if (_todos is not null)
            {
                var field = _todos.Locator(".new-entry input");
                await field.FillAsync($"Todo {word}");
                await field.PressAsync("Enter");
            }
        }

        public Task ShowsAsync(IPage tab, string path, string word) =>
            path switch
            {
                "/documents" => Expect(tab.Locator($"[data-file='{_files[word]}']:not([data-lock=free])")).ToHaveCountAsync(1),
                "/focus" => Expect(tab.Locator("[data-task]", new() { HasText = $"Task {word}" })).ToHaveCountAsync(1),
                "/wishlists/list/demo-birthday" => Expect(tab.GetByRole(AriaRole.Heading, new() { Name = $"Wish {word}", Exact = true }))
                    .ToHaveCountAsync(1),
                "/todos/demo-trip" => Expect(tab.Locator($"[data-title=\"Todo {word}\"]")).ToHaveCountAsync(1),
                _ => Expect(tab.Locator($"[data-case='{_cases[path[^1] - '0']}'][data-field='{FieldOf(word)}']"))
                    .ToHaveAttributeAsync("data-value", $"Changed {word}"),
            };

        public void Dispose() => _alice.Dispose();

        private static string FieldOf(string word) =>
            word switch
            {
                "one" => "customerName",
                "two" => "address",
                _ => "issues",
            };

        private async Task SendAsync(HttpMethod method, string path, object body)
        {
            using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
            using var response = await _alice.SendAsync(request);
            Assert.True(response.IsSuccessStatusCode, $"{path}: {await response.Content.ReadAsStringAsync()}");
        }
    }
}
