using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.E2E.Tests.Support;
using Dunlin.Fanout;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>The focus page in Chromium. A browser context is a device; two pages of one context are two tabs.</summary>
public sealed class FocusTests(BrowserFixture browser)
{
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 20_000 };

    [Fact]
    public async Task No_tab_loses_its_stream_in_ten_minutes_or_duplicates_an_event()
    {
        await using var host = await TestHost.StartAsync();
        var (tabOne, tabTwo, phone) = await ThreeAsync(host, fakeClock: true);
        // One stream per device, for all its tabs.
        Assert.Equal(2, host.Services.GetRequiredService<EventFanout>().ConnectionCount);
        var reopened = new ConcurrentQueue<string>();
        foreach (var context in new[] { tabOne.Context, phone.Context })
            context.Request += (_, request) =>
            {
                if (request.Url.Contains("/dunlin/v1/streams", StringComparison.Ordinal))
                    reopened.Enqueue(request.Url);
            };
        using var tablet = await DeviceAsync(host, "tablet");
        for (var i = 0; i < 20; i++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(30));
            await PostAsync(tablet, "/api/tasks", new { title = $"Task {i}" });
            foreach (var page in new[] { tabOne, tabTwo, phone })
                await HeardAsync(page, i + 1);
            // Concurrently: a tab whose clock alone runs ahead correctly treats the others as asleep.
            for (var second = 0; second < 30; second += 10)
            {
                foreach (var page in new[] { tabOne, tabTwo, phone })
                    await page.Clock.RunForAsync(10_000);
                await BroadcastsArriveAsync(tabOne, tabTwo);
            }
        }
        Assert.Empty(reopened);
        Assert.Equal(2, host.Services.GetRequiredService<EventFanout>().ConnectionCount);
        // A change of a page: every tab receives it, including its origin, and displays it once.
        await AddTaskAsync(tabOne, "From tab one");
        foreach (var page in new[] { tabOne, tabTwo, phone })
        {
            await HeardAsync(page, 21);
            await Expect(Task(page, "From tab one")).ToHaveCountAsync(1);
            await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task Tabs_with_changing_leaders_deliver_each_event_once()
    {
        await using var host = await TestHost.StartAsync();
        var (tabOne, tabTwo, phone) = await ThreeAsync(host, fakeClock: true);
        var opened = 0;
        tabOne.Context.Request += (_, request) =>
        {
            if (request.Url.Contains("/dunlin/v1/streams", StringComparison.Ordinal))
                Interlocked.Increment(ref opened);
        };
        using var tablet = await DeviceAsync(host, "tablet");
        for (var i = 0; i < 20; i++)
        {
            await PostAsync(tablet, "/api/tasks", new { title = $"Task {i}" });
            foreach (var page in new[] { tabOne, tabTwo, phone })
            {
                await HeardAsync(page, i + 1);
                // Depose the leader, as a tab does that got no answer.
                await DeposeAsync(page);
                await page.Clock.RunForAsync(30_000);
            }
        }
        Assert.True(Volatile.Read(ref opened) > 5, $"The lead changed hands {opened} times only.");
        foreach (var page in new[] { tabOne, tabTwo, phone })
            await Expect(page.Locator("[data-task]", new() { HasTextRegex = new Regex("Task \\d+") })).ToHaveCountAsync(20);
    }

    [Fact]
    public async Task The_timer_appears_on_every_device_and_a_move_reaches_all()
    {
        await using var host = await TestHost.StartAsync();
        var (tabOne, tabTwo, phone) = await ThreeAsync(host);
        await RenameAsync(tabOne, "Laptop");
        await RenameAsync(phone, "Phone");
        await tabOne.Locator("[data-field=task]").SelectOptionAsync(new SelectOptionValue { Label = "Plan the workshop" });
        await tabOne.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await LooksAsync(tabOne, "running");
        // The other tab of the same device shows the same state without conflict.
        await LooksAsync(tabTwo, "running");
        await LooksAsync(phone, "elsewhere");
        await Expect(phone.GetByText("Timer for 'Plan the workshop' is running on another device (Laptop)")).ToBeVisibleAsync();
        await Expect(phone.Locator("[data-clock]")).ToHaveTextAsync(new Regex("^2[45]:"));
        await PictureAsync(phone, "focus-phone-elsewhere");
        await phone.GetByRole(AriaRole.Button, new() { Name = "Move to this device" }).ClickAsync();
        await LooksAsync(phone, "running");
        foreach (var page in new[] { tabOne, tabTwo })
        {
            await LooksAsync(page, "elsewhere");
            await Expect(page.GetByText("is running on another device (Phone)")).ToBeVisibleAsync();
        }
        await phone.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await LooksAsync(phone, "paused");
        await phone.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        foreach (var page in new[] { tabOne, tabTwo, phone })
            await LooksAsync(page, "idle");
        await Expect(tabOne.GetByText("“Plan the workshop” was cancelled on another device.")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Phases_advance_on_the_server_across_a_restart_and_log_minutes()
    {
        await using var host = await TestHost.StartAsync();
        var laptop = await OpenAsync(host);
        await Expect(Task(laptop, "Read the contract")).ToBeVisibleAsync();
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Focus on Read the contract" }).ClickAsync();
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await LooksAsync(laptop, "running");
        host.Time.Advance(TimeSpan.FromMinutes(10));
        await host.RestartAsync();
        await Expect(laptop.Locator("[data-connection=live]")).ToBeVisibleAsync(Patient);
        await Expect(laptop.Locator("[data-clock]")).ToHaveTextAsync(new Regex("^(15:00|14:5)"));
        await PictureAsync(laptop, "focus-running");
        await AdvanceUntilAsync(host, TimeSpan.FromMinutes(15), laptop, "break");
        await Expect(laptop.Locator("[data-clock]")).ToHaveTextAsync(new Regex("^(05:00|04:5)"));
        await PictureAsync(laptop, "focus-break");
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Skip break" }).ClickAsync();
        await LooksAsync(laptop, "running");
        await Expect(laptop.GetByText("Focus 2")).ToBeVisibleAsync();
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Complete" }).ClickAsync();
        await LooksAsync(laptop, "idle");
        await Expect(laptop.GetByText("25 min logged to “Read the contract”.")).ToHaveCountAsync(1);
        await Expect(Task(laptop, "Read the contract").GetByText("25 min")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_clock_shows_server_time_despite_a_wrong_computer_clock()
    {
        await using var host = await TestHost.StartAsync();
        var laptop = await OpenAsync(
            host,
            script: "const D = Date; const off = 26 * 3600e3; class Wrong extends D { constructor(...a) { a.length ? super(...a) : super(D.now() + off); } static now() { return D.now() + off; } } globalThis.Date = Wrong;"
        );
        await laptop.GetByText("One stretch").ClickAsync();
        await laptop.GetByRole(AriaRole.Button, new() { Name = "60", Exact = true }).ClickAsync();
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await LooksAsync(laptop, "running");
        await Expect(laptop.Locator("[data-clock]")).ToHaveTextAsync(new Regex("^(1:00:00|59:5)"));
        // Time that passes only at the server becomes visible with its next message.
        host.Time.Advance(TimeSpan.FromMinutes(20));
        await AddTaskAsync(laptop, "A sign of life");
        await Expect(laptop.Locator("[data-clock]")).ToHaveTextAsync(new Regex("^(40:00|39:[345])"));
        await AdvanceUntilAsync(host, TimeSpan.FromMinutes(40), laptop, "idle");
        await Expect(laptop.GetByText("Done: 60 min of “Focus”.")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task A_device_offline_for_100_events_catches_up()
    {
        await using var host = await TestHost.StartAsync();
        var phone = await OpenAsync(host);
        using var tablet = await DeviceAsync(host, "tablet");
        await phone.Context.SetOfflineAsync(true);
        await Expect(phone.Locator("[data-connection=offline]")).ToBeVisibleAsync(Patient);
        await PostAsync(tablet, "/api/timer/start", new { taskTitle = "On the tablet", mode = "pomodoro" });
        for (var i = 0; i < 49; i++)
        {
            await PostAsync(tablet, "/api/tasks", new { title = $"Offline {i}" });
            await PostAsync(tablet, i % 2 == 0 ? "/api/timer/pause" : "/api/timer/resume", new { });
        }
        await PostAsync(tablet, "/api/tasks", new { title = "The last" });
        await Expect(phone.Locator("[data-timer]")).ToHaveAttributeAsync("data-timer", "idle");
        await phone.Context.SetOfflineAsync(false);
        await HeardAsync(phone, 100);
        await LooksAsync(phone, "elsewhere");
        await Expect(phone.Locator(".dial-word")).ToHaveTextAsync("Paused");
        await Expect(Task(phone, "The last")).ToHaveCountAsync(1);
        await Expect(phone.GetByText(new Regex("^Offline \\d+$"))).ToHaveCountAsync(49);
    }

    [Fact]
    public async Task Concurrent_offline_changes_of_two_devices_reach_both()
    {
        await using var host = await TestHost.StartAsync();
        var (laptop, phone) = (await OpenAsync(host), await OpenAsync(host));
        foreach (var page in new[] { laptop, phone })
        {
            await page.Context.SetOfflineAsync(true);
            await Expect(page.Locator("[data-connection=offline]")).ToBeVisibleAsync(Patient);
        }
        await AddTaskAsync(laptop, "Made on the laptop");
        await AddEventAsync(phone, "Met on the phone", "10:00", "11:00");
        await Expect(Task(laptop, "Made on the laptop").GetByText("Waiting")).ToBeVisibleAsync();
        await PictureAsync(laptop, "focus-offline");
        foreach (var page in new[] { laptop, phone })
            await page.Context.SetOfflineAsync(false);
        foreach (var page in new[] { laptop, phone })
        {
            await Expect(Task(page, "Made on the laptop")).ToHaveCountAsync(1, new() { Timeout = 20_000 });
            await Expect(Task(page, "Made on the laptop").GetByText("Waiting")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
            await Expect(page.Locator("[data-event]", new() { HasText = "Met on the phone" }))
                .ToHaveCountAsync(1, new() { Timeout = 20_000 });
            await Expect(page.Locator("[data-event].is-waiting")).ToHaveCountAsync(0, new() { Timeout = 20_000 });
        }
    }

    [Fact]
    public async Task An_offline_edit_survives_a_reload_and_overwrites_nothing_unseen()
    {
        await using var host = await TestHost.StartAsync();
        var laptop = await OpenAsync(host);
        using var tablet = await DeviceAsync(host, "tablet");
        var mine = await PostAsync(tablet, "/api/tasks", new { title = "Draft" });
        var shared = await PostAsync(tablet, "/api/tasks", new { title = "Shared" });
        await Expect(Task(laptop, "Shared")).ToBeVisibleAsync();
        await laptop.Context.SetOfflineAsync(true);
        await Expect(laptop.Locator("[data-connection=offline]")).ToBeVisibleAsync(Patient);
        await RenameTaskAsync(laptop, "Draft", "Final");
        await RenameTaskAsync(laptop, "Shared", "Ours");
        await PatchAsync(tablet, shared, new { title = "Theirs" });
        // The page itself comes from the server, so block only the writes during the reload.
        await laptop.RouteAsync("**/api/tasks/*", route => route.AbortAsync());
        await laptop.Context.SetOfflineAsync(false);
        await laptop.ReloadAsync();
        await ReadyAsync(laptop);
        await Expect(Task(laptop, "Final").GetByText("Waiting")).ToBeVisibleAsync();
        // The old page must not send requests whose answers nobody would receive.
        var address = laptop.Url;
        await laptop.GotoAsync("about:blank");
        var patches = 0;
        await laptop.UnrouteAllAsync();
        await laptop.RouteAsync(
            $"**/api/tasks/{mine.GetProperty("id").GetString()}",
            route =>
            {
                patches += route.Request.Method == "PATCH" ? 1 : 0;
                return route.ContinueAsync();
            }
        );
        await laptop.GotoAsync(address);
        await Expect(Task(laptop, "Final")).ToBeVisibleAsync();
        await Expect(Task(laptop, "Final").GetByText("Waiting")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
        Assert.Equal(1, Volatile.Read(ref patches));
        Assert.Equal("Final", await TitleAsync(tablet, mine));
        // Both changed the other task: nothing is lost before the user decides.
        var conflict = laptop.Locator("[data-conflict]");
        await Expect(conflict.GetByText("title: “Ours” here, “Theirs” there")).ToBeVisibleAsync();
        Assert.Equal("Theirs", await TitleAsync(tablet, shared));
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Use mine" }).ClickAsync();
        await Expect(conflict).ToHaveCountAsync(0);
        await Expect(Task(laptop, "Ours").GetByText("Waiting")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
        Assert.Equal("Ours", await TitleAsync(tablet, shared));
    }

    [Fact]
    public async Task Tasks_and_calendar_are_edited_by_keyboard_and_sync_to_other_devices()
    {
        await using var host = await TestHost.StartAsync();
        var (laptop, phone) = (
            await OpenAsync(host),
            await OpenAsync(
                host,
                new()
                {
                    ViewportSize = new() { Width = 390, Height = 844 },
                    HasTouch = true,
                    IsMobile = true,
                }
            )
        );
        await laptop.Keyboard.PressAsync("n");
        await laptop.Keyboard.TypeAsync("Write a letter");
        await laptop.Keyboard.PressAsync("Enter");
        await Expect(Task(phone, "Write a letter")).ToBeVisibleAsync();
        await Task(laptop, "Write a letter").GetByTitle("Edit").ClickAsync();
        await laptop.Keyboard.TypeAsync("Write two letters");
        await laptop.Keyboard.PressAsync("Enter");
        await Expect(Task(phone, "Write two letters")).ToBeVisibleAsync();
        await Task(laptop, "Write two letters").GetByRole(AriaRole.Checkbox).CheckAsync();
        await Expect(Task(phone, "Write two letters").GetByRole(AriaRole.Checkbox)).ToBeCheckedAsync();
        await Task(phone, "Write two letters").GetByTitle("Delete").TapAsync();
        await Expect(Task(laptop, "Write two letters")).ToHaveCountAsync(0);

        await laptop
            .Locator("body")
            .ClickAsync(
                new()
                {
                    Position = new() { X = 2, Y = 200 },
                }
            );
        await laptop.Keyboard.PressAsync("e");
        await Expect(laptop.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await PictureAsync(laptop, "focus-event");
        await laptop.Keyboard.PressAsync("Escape");
        await Expect(laptop.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await AddEventAsync(laptop, "Call the bank", "13:00", "13:30");
        var entry = phone.Locator("[data-event]", new() { HasText = "Call the bank" });
        await Expect(entry).ToHaveCountAsync(1);
        await PictureAsync(phone, "focus-phone");
        await entry.TapAsync();
        await phone.GetByLabel("Title", new() { Exact = true }).FillAsync("Call the bank again");
        await phone.GetByRole(AriaRole.Button, new() { Name = "Save" }).TapAsync();
        await Expect(laptop.Locator("[data-event]", new() { HasText = "Call the bank again" })).ToHaveCountAsync(1);
        await PictureAsync(laptop, "focus-laptop");
        await laptop.Locator("[data-event]", new() { HasText = "Call the bank again" }).ClickAsync();
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(entry).ToHaveCountAsync(0);

        // Control the timer with the space bar.
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await LooksAsync(laptop, "running");
        await laptop
            .Locator("body")
            .ClickAsync(
                new()
                {
                    Position = new() { X = 2, Y = 200 },
                }
            );
        await laptop.Keyboard.PressAsync("Space");
        await LooksAsync(laptop, "paused");
        await laptop.Keyboard.PressAsync("Space");
        await LooksAsync(laptop, "running");
    }

    [Fact]
    public async Task An_offline_command_is_refused_and_a_stale_page_learns_the_timer_device()
    {
        await using var host = await TestHost.StartAsync();
        var phone = await OpenAsync(host);
        using var tablet = await DeviceAsync(host, "tablet");
        await phone.Context.SetOfflineAsync(true);
        await phone.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(phone.GetByText("The timer did not change: the server cannot be reached")).ToBeVisibleAsync();
        await LooksAsync(phone, "idle");
        await PostAsync(tablet, "/api/timer/start", new { taskTitle = "On the tablet" });
        // Block its stream, so that it is outdated when the button is pressed.
        await phone.RouteAsync("**/dunlin/v1/streams**", route => route.AbortAsync());
        await phone.RouteAsync("**/api/timer", route => route.Request.Method == "GET" ? route.AbortAsync() : route.ContinueAsync());
        await phone.Context.SetOfflineAsync(false);
        await phone.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(phone.GetByText("The timer for 'On the tablet' is running on another device (Device).")).ToBeVisibleAsync();
        await phone.UnrouteAllAsync();
        await LooksAsync(phone, "elsewhere", 40_000);
    }

    private async Task<(IPage TabOne, IPage TabTwo, IPage Phone)> ThreeAsync(TestHost host, bool fakeClock = false)
    {
        var tabOne = await OpenAsync(host, fakeClock: fakeClock);
        var tabTwo = await tabOne.Context.NewPageAsync();
        await tabTwo.GotoAsync(tabOne.Url);
        await ReadyAsync(tabTwo);
        var phone = await OpenAsync(
            host,
            new()
            {
                ViewportSize = new() { Width = 390, Height = 844 },
            },
            fakeClock: fakeClock
        );
        return (tabOne, tabTwo, phone);
    }

    private async Task<IPage> OpenAsync(
        TestHost host,
        BrowserNewContextOptions? options = null,
        string? script = null,
        bool fakeClock = false
    )
    {
        var page = await host.OpenAsync(browser.Browser, "alice", script is null && !fakeClock ? "/focus" : "/healthz/live", options);
        if (script is not null)
            await page.Context.AddInitScriptAsync(script);
        if (fakeClock)
            await page.Context.Clock.InstallAsync();
        if (script is not null || fakeClock)
            await page.GotoAsync(new Uri(host.Address, "/focus").ToString());
        await ReadyAsync(page);
        return page;
    }

    private static async Task ReadyAsync(IPage page)
    {
        await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync(Patient);
        await Expect(page.Locator("main[data-loaded=true]")).ToBeVisibleAsync(Patient);
    }

    /// <summary>Takes a picture of the top of the page after the animation, if pictures are enabled.</summary>
    private static async Task PictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("DUNLIN_PICTURES") is null)
            return;
        await page.EvaluateAsync("scrollTo(0, 0)");
        await page.WaitForTimeoutAsync(1_500);
        await page.PictureAsync(name);
    }

    /// <summary>Returns another device of the same user, without a page.</summary>
    private static async Task<HttpClient> DeviceAsync(TestHost host, string device)
    {
        var client = await host.ClientAsync("alice");
        client.DefaultRequestHeaders.Add("Dunlin-Device", device);
        return client;
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {answer}");
        return answer;
    }

    /// <summary>Advances the last two seconds one by one, because the server does due work on its own thread.</summary>
    private static async Task AdvanceUntilAsync(TestHost host, TimeSpan by, IPage page, string look)
    {
        host.Time.Advance(by - TimeSpan.FromSeconds(2));
        for (var i = 0; i < 20 && await page.Locator("[data-timer]").GetAttributeAsync("data-timer") != look; i++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(1));
            await page.WaitForTimeoutAsync(50);
        }
        await LooksAsync(page, look);
    }

    private static Task LooksAsync(IPage page, string look, float timeout = 20_000) =>
        Expect(page.Locator("[data-timer]")).ToHaveAttributeAsync("data-timer", look, new() { Timeout = timeout });

    private static Task HeardAsync(IPage page, int events) =>
        Expect(page.Locator("[data-heard]"))
            .ToHaveAttributeAsync("data-heard", events.ToString(CultureInfo.InvariantCulture), new() { Timeout = 20_000 });

    private static Task DeposeAsync(IPage page) =>
        page.EvaluateAsync(
            """
            async () => {
              const held = (await navigator.locks.query()).held.filter(lock => lock.name.startsWith('dunlin  alice'));
              for (const { name } of held) await navigator.locks.request(name, { steal: true }, () => {});
            }
            """
        );

    /// <summary>Returns when all earlier broadcasts of each tab have reached the other.</summary>
    private static async Task BroadcastsArriveAsync(IPage one, IPage two)
    {
        const string listen =
            "name => { window.probe = new BroadcastChannel(name); window.probed = new Promise(done => (window.probe.onmessage = done)); }";
        const string answer = "async () => { await window.probed; window.probe.close(); }";
        foreach (var (from, to) in new[] { (one, two), (two, one) })
        {
            await to.EvaluateAsync(listen, "probe");
            await from.EvaluateAsync(
                "name => { const channel = new BroadcastChannel(name); channel.postMessage(0); channel.close(); }",
                "probe"
            );
            await to.EvaluateAsync(answer);
        }
    }

    private static ILocator Task(IPage page, string title) =>
        page.Locator("[data-task]", new() { Has = page.GetByText(title, new() { Exact = true }) });

    private static async Task AddTaskAsync(IPage page, string title)
    {
        await page.GetByLabel("New task").FillAsync(title);
        await page.GetByLabel("New task").PressAsync("Enter");
        await Expect(Task(page, title)).ToBeVisibleAsync();
    }

    private static async Task RenameTaskAsync(IPage page, string from, string to)
    {
        await Task(page, from).GetByTitle("Edit").ClickAsync();
        await page.Locator("[data-edit]").FillAsync(to);
        await page.Locator("[data-edit]").PressAsync("Enter");
        await Expect(Task(page, to).GetByText("Waiting")).ToBeVisibleAsync();
    }

    private static async Task PatchAsync(HttpClient client, JsonElement task, object body)
    {
        using var response = await client.PatchAsJsonAsync($"/api/tasks/{task.GetProperty("id").GetString()}", body);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<string?> TitleAsync(HttpClient client, JsonElement task)
    {
        var all = await client.GetFromJsonAsync<JsonElement>("/api/tasks");
        return all.GetProperty("items")
            .EnumerateArray()
            .Single(each => each.GetProperty("id").GetString() == task.GetProperty("id").GetString())
            .GetProperty("title")
            .GetString();
    }

    private static async Task AddEventAsync(IPage page, string title, string from, string to)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Event", Exact = true }).ClickAsync();
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync(title);
        await page.Locator("[name=from]").FillAsync(from);
        await page.Locator("[name=to]").FillAsync(to);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
    }

    private static async Task RenameAsync(IPage page, string name)
    {
        await page.Locator("[data-device]").ClickAsync();
        await page.GetByLabel("Name of this device").FillAsync(name);
        await page.GetByLabel("Name of this device").PressAsync("Enter");
        await Expect(page.Locator("[data-device]")).ToHaveTextAsync(name);
    }
}
