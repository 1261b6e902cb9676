using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;
using static Dunlin.E2E.Tests.Todos.TodoPages;

namespace Dunlin.E2E.Tests.Todos;

/// <summary>Due dates: dates without a time, which each user sees in an own time zone.</summary>
public sealed class DueTests(BrowserFixture browser)
{
    private const string Date = """
        days => {
          const time = new Date();
          time.setDate(time.getDate() + days);
          return `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, '0')}-${String(time.getDate()).padStart(2, '0')}`;
        }
        """;

    [Fact]
    public async Task Today_shows_what_is_due_and_overdue_of_all_lists_in_each_time_zone()
    {
        await using var host = await TestHost.StartAsync();
        // The dates of these zones always differ by one day.
        var alice = await host.OpenAsync(browser.Browser, "alice", "/todos/demo-trip", new() { TimezoneId = "Pacific/Kiritimati" });
        var bob = await host.OpenAsync(browser.Browser, "bob", "/todos/demo-trip", new() { TimezoneId = "Pacific/Honolulu" });
        await LiveAsync(alice, bob);
        await Due(alice, "t1").FillAsync(await alice.EvaluateAsync<string>(Date, 0));
        await Due(alice, "t2").FillAsync(await alice.EvaluateAsync<string>(Date, -1));
        await Due(alice, "t3").FillAsync(await alice.EvaluateAsync<string>(Date, 1));
        await Due(alice, "t3").BlurAsync();
        await Expect(Word(alice, "t1")).ToHaveTextAsync("Today");
        await Expect(Word(alice, "t2")).ToContainTextAsync("Yesterday");
        await Expect(alice.Locator("[data-task=t2] [data-late]")).ToHaveCountAsync(1);
        await Expect(Word(alice, "t3")).ToHaveTextAsync("Tomorrow");
        await Expect(Word(bob, "t1")).ToHaveTextAsync("Tomorrow");
        await Expect(Word(bob, "t2")).ToHaveTextAsync("Today");
        await Expect(bob.Locator("[data-late]")).ToHaveCountAsync(0);
        await alice.PictureAsync("todos-due");

        await alice.Locator("[data-list=demo-desk]").ClickAsync();
        await Due(alice, "d0").FillAsync("2026-01-05");
        await Expect(alice.Locator("[data-due-count='3']")).ToBeVisibleAsync();
        await alice.GetByRole(AriaRole.Link, new() { Name = "Today" }).ClickAsync();
        await Expect(alice.Locator("[data-group=Overdue] [data-task]")).ToHaveCountAsync(2);
        await Expect(alice.Locator("[data-group=Overdue] [data-task]").First).ToHaveAttributeAsync("data-task", "d0");
        await Expect(alice.Locator("[data-group=Today] [data-task]")).ToHaveCountAsync(1);
        await alice.PictureAsync("todos-today");
        await Checkbox(alice, "t1").ClickAsync();
        await Expect(alice.Locator("[data-group=Today]")).ToHaveCountAsync(0);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(alice.Locator("[data-group=Today] [data-task]")).ToHaveCountAsync(1);

        // Removed again: the task stays in its list, and the link leads there.
        await Due(alice, "t1").FillAsync("");
        await Due(alice, "t1").BlurAsync();
        await Expect(alice.Locator("[data-group=Today]")).ToHaveCountAsync(0);
        await alice.Locator("[data-task=t2]").GetByRole(AriaRole.Link, new() { Name = "Wadden Sea trip" }).ClickAsync();
        await Expect(alice.Locator("[data-task=t1] [data-due='']")).ToHaveCountAsync(1);
        await Expect(bob.Locator("[data-task=t1] [data-due='']")).ToHaveCountAsync(1);
        await SentAsync(alice);
    }

    [Fact]
    public async Task Pages_of_earlier_versions_keep_dates_and_places_they_do_not_know()
    {
        await using var host = await TestHost.StartAsync();
        using var bob = await host.ClientAsync("bob");
        var old = new Pusher(bob);
        var task = new { listId = "demo-trip", id = "t1" };
        await old.PushAsync(
            "updateTask",
            new
            {
                task.listId,
                task.id,
                due = "2026-12-24",
                order = "a0",
            }
        );
        // The arguments of the first version of the page.
        await old.PushAsync(
            "updateTask",
            new
            {
                task.listId,
                task.id,
                done = true,
            }
        );
        await old.PushAsync(
            "createTask",
            new
            {
                task.listId,
                id = "old",
                title = "Made by an old page",
            }
        );
        var records = await old.PullAsync();
        Assert.Equal(
            ("2026-12-24", "a0", true),
            (
                records["task/demo-trip/t1"].GetProperty("due").GetString(),
                records["task/demo-trip/t1"].GetProperty("order").GetString(),
                records["task/demo-trip/t1"].GetProperty("done").GetBoolean()
            )
        );
        Assert.False(records["task/demo-trip/old"].TryGetProperty("due", out _));
        Assert.False(records["task/demo-trip/old"].TryGetProperty("order", out _));

        await old.PushAsync(
            "updateTask",
            new
            {
                task.listId,
                task.id,
                due = "",
            }
        );
        Assert.False((await old.PullAsync())["task/demo-trip/t1"].TryGetProperty("due", out _));

        // A refused mutation changes nothing, and the page takes it back.
        foreach (var due in new[] { "24.12.2026", "2026-02-30", "2026-12-24T10:00:00Z" })
            await old.PushAsync(
                "updateTask",
                new
                {
                    task.listId,
                    task.id,
                    due,
                }
            );
        foreach (var order in new[] { "", "a", "a00", "g123", "a-", "A" + new string('0', 26), new string('a', 201) })
            await old.PushAsync(
                "updateTask",
                new
                {
                    task.listId,
                    task.id,
                    order,
                }
            );
        var refused = (await old.PullAsync())["task/demo-trip/t1"];
        Assert.False(refused.TryGetProperty("due", out _));
        Assert.Equal("a0", refused.GetProperty("order").GetString());
        foreach (var order in new[] { "Zz", "g0V3kD9aV", "A" + new string('0', 26) + "V" })
        {
            await old.PushAsync(
                "updateTask",
                new
                {
                    task.listId,
                    task.id,
                    order,
                }
            );
            Assert.Equal(order, (await old.PullAsync())["task/demo-trip/t1"].GetProperty("order").GetString());
        }
    }

    private static ILocator Due(IPage page, string id) => page.Locator($"[data-task={id}] input[type=date]");

    private static ILocator Word(IPage page, string id) => page.Locator($"[data-task={id}] .due-word");

    /// <summary>A client that sends mutations one by one.</summary>
    private sealed class Pusher(HttpClient user)
    {
        private readonly string _group = Guid.NewGuid().ToString("N");
        private int _last;

        public async Task PushAsync(string name, object args)
        {
            var mutation = new
            {
                clientID = "client",
                id = ++_last,
                name,
                args,
                timestamp = 0,
            };
            var request = new
            {
                pushVersion = 1,
                clientGroupID = _group,
                profileID = "p",
                schemaVersion = "1",
                mutations = new[] { mutation },
            };
            using var answer = await user.PostAsJsonAsync("/api/v1/replicache/push", request);
            answer.EnsureSuccessStatusCode();
        }

        public async Task<Dictionary<string, JsonElement>> PullAsync()
        {
            var request = new
            {
                pullVersion = 1,
                clientGroupID = _group,
                profileID = "p",
                schemaVersion = "1",
                cookie = (object?)null,
            };
            using var answer = await user.PostAsJsonAsync("/api/v1/replicache/pull", request);
            return (await answer.Content.ReadFromJsonAsync<JsonElement>())
                .GetProperty("patch")
                .EnumerateArray()
                .Where(change => change.GetProperty("op").GetString() == "put")
                .ToDictionary(
                    change => change.GetProperty("key").GetString()!,
                    change => change.GetProperty("value"),
                    StringComparer.Ordinal
                );
        }
    }
}
