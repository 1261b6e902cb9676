using System.Globalization;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>Events are created, moved and resized by mouse, finger and keyboard.</summary>
public sealed class CalendarDragTests(BrowserFixture browser)
{
    [Fact]
    public async Task A_drag_creates_moves_and_resizes_an_event_and_undo_reverts()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(browser);
        using var tablet = await host.DeviceAsync();
        var monday = await page.ShowNextWeekAsync(host);

        await page.DragAsync(await page.PointAsync(1, 9), await page.PointAsync(1, 11));
        await Expect(page.Locator("[name=from]")).ToHaveValueAsync("09:00");
        await Expect(page.Locator("[name=to]")).ToHaveValueAsync("11:00");
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync("Deep work");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("top", Pixels(9));
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("height", Pixels(2, -2));
        await page.SavedAsync();
        // The rail and the events write times in one format.
        await Expect(page.Locator(".week-hours")).ToContainTextAsync("9 AM");
        await Expect(page.Event("Deep work").Locator(".entry-start")).ToHaveTextAsync("9:00 AM");

        await page.DragAsync(await page.PointAsync(1, 9.5), await page.PointAsync(3, 11.5));
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("top", Pixels(11));
        await page.SavedAsync();
        Assert.Equal((monday.At(3, "11:00"), monday.At(3, "13:00")), await tablet.TimesAsync(monday, "Deep work"));

        await page.DragAsync(await page.PointAsync(3, 12.95), await page.PointAsync(3, 14.5));
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("height", Pixels(3.5, -2));
        await page.SavedAsync();
        Assert.Equal((monday.At(3, "11:00"), monday.At(3, "14:30")), await tablet.TimesAsync(monday, "Deep work"));
        await page.UndoAsync();
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("height", Pixels(2, -2));
        await page.SavedAsync();
        Assert.Equal((monday.At(3, "11:00"), monday.At(3, "13:00")), await tablet.TimesAsync(monday, "Deep work"));

        // Escape ends a drag without a change and without a click.
        var (x, y) = await page.PointAsync(3, 12);
        await page.Mouse.MoveAsync(x, y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(x, y - 100, new() { Steps = 4 });
        await Expect(page.Locator("[data-ghost]")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("[data-ghost]")).ToHaveCountAsync(0);
        await page.Mouse.UpAsync();
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("top", Pixels(11));
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);

        await page.Event("Deep work").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await Expect(page.Event("Deep work")).ToHaveCountAsync(0);
        await page.UndoAsync();
        await Expect(page.Event("Deep work")).ToHaveCSSAsync("top", Pixels(11));
        await page.SavedAsync();
        Assert.Equal((monday.At(3, "11:00"), monday.At(3, "13:00")), await tablet.TimesAsync(monday, "Deep work"));
    }

    [Fact]
    public async Task Arrow_keys_move_an_event_and_with_shift_resize_it()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(browser);
        using var tablet = await host.DeviceAsync();
        var monday = await page.ShowNextWeekAsync(host);
        await tablet.OkAsync(
            HttpMethod.Post,
            "/api/calendar/events",
            new
            {
                title = "Call",
                start = monday.At(0, "10:00"),
                end = monday.At(0, "11:00"),
            }
        );
        await page.Event("Call").FocusAsync();
        foreach (var key in new[] { "ArrowDown", "ArrowDown", "ArrowRight", "Shift+ArrowDown" })
        {
            await page.Keyboard.PressAsync(key);
            await Expect(page.Event("Call")).ToBeFocusedAsync();
        }
        await page.SavedAsync();
        Assert.Equal((monday.At(1, "10:30"), monday.At(1, "11:45")), await tablet.TimesAsync(monday, "Call"));
        await page.Keyboard.PressAsync("Control+z");
        await Expect(page.Event("Call")).ToHaveCSSAsync("height", Pixels(1, -2));
        // An event that leaves the week stays in view and in focus.
        await page.Keyboard.PressAsync("ArrowLeft");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Expect(page.Event("Call")).ToBeFocusedAsync();
        await page.SavedAsync();
        Assert.Equal((monday.At(-1, "10:30"), monday.At(-1, "11:30")), await tablet.TimesAsync(monday.AddDays(-7), "Call"));
    }

    [Fact]
    public async Task A_long_press_of_a_finger_creates_and_moves_an_event()
    {
        await using var host = await TestHost.StartAsync();
        var page = await host.OpenFocusAsync(
            browser,
            new()
            {
                ViewportSize = new() { Width = 1180, Height = 820 },
                HasTouch = true,
                IsMobile = true,
            }
        );
        using var tablet = await host.DeviceAsync();
        var monday = await page.ShowNextWeekAsync(host);
        var touch = await page.Context.NewCDPSessionAsync(page);
        await PressAsync(await page.PointAsync(2, 10), await page.PointAsync(2, 12));
        await page.GetByLabel("Title", new() { Exact = true }).FillAsync("Workshop");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).TapAsync();
        await page.SavedAsync();
        Assert.Equal((monday.At(2, "10:00"), monday.At(2, "12:00")), await tablet.TimesAsync(monday, "Workshop"));
        await PressAsync(await page.PointAsync(2, 11), await page.PointAsync(4, 9));
        await Expect(page.Event("Workshop")).ToHaveCSSAsync("top", Pixels(8));
        await page.SavedAsync();
        Assert.Equal((monday.At(4, "08:00"), monday.At(4, "10:00")), await tablet.TimesAsync(monday, "Workshop"));

        async Task PressAsync((float X, float Y) from, (float X, float Y) to)
        {
            await SendAsync("touchStart", from);
            await Expect(page.Locator("[data-ghost]")).ToBeVisibleAsync();
            for (var i = 1; i <= 4; i++)
                await SendAsync("touchMove", (from.X + ((to.X - from.X) * i / 4), from.Y + ((to.Y - from.Y) * i / 4)));
            await SendAsync("touchEnd", null);
        }

        Task SendAsync(string type, (float X, float Y)? at) =>
            touch.SendAsync(
                "Input.dispatchTouchEvent",
                new() { ["type"] = type, ["touchPoints"] = at is { } point ? new object[] { new { x = point.X, y = point.Y } } : [] }
            );
    }

    [Fact]
    public async Task A_timer_elsewhere_is_described_by_its_state_and_cancel_can_be_undone()
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
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(phone.Locator("[data-elsewhere]")).ToContainTextAsync("is running on another device");
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(phone.Locator("[data-elsewhere]")).ToContainTextAsync("is paused on another device");
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await phone.LooksAsync("idle");
        await laptop.UndoAsync();
        await laptop.LooksAsync("paused");
        await Expect(phone.Locator("[data-elsewhere]")).ToContainTextAsync("is paused on another device");
        await laptop.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        // The phase ends only if the timer ran before time advanced.
        await Expect(phone.Locator("[data-elsewhere]")).ToContainTextAsync("is running on another device");
        host.Time.Advance(TimeSpan.FromMinutes(26));
        await Expect(phone.Locator("[data-elsewhere]")).ToContainTextAsync("is on a break on another device");
    }

    private static string Pixels(double hours, int more = 0) =>
        string.Create(CultureInfo.InvariantCulture, $"{(hours * FocusPages.HourHeight) + more}px");
}
