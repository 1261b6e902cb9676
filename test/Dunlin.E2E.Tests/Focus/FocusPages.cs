using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.E2E.Tests.Support;
using Microsoft.Playwright;
using static Dunlin.E2E.Tests.Support.Pages;

namespace Dunlin.E2E.Tests.Focus;

/// <summary>Steps that tests of the focus page share.</summary>
internal static class FocusPages
{
    public const int HourHeight = 48;

    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 20_000 };

    /// <summary>Opens the page of alice in a new device, in UTC.</summary>
    public static async Task<IPage> OpenFocusAsync(
        this TestHost host,
        BrowserFixture browser,
        BrowserNewContextOptions? options = null,
        string? script = null
    )
    {
        options ??= new()
        {
            ViewportSize = new() { Width = 1280, Height = 900 },
        };
        options.TimezoneId ??= "UTC";
        var page = await host.OpenAsync(browser.Browser, "alice", script is null ? "/focus" : "/healthz/live", options);
        if (script is not null)
        {
            await page.Context.AddInitScriptAsync(script);
            await page.GotoAsync(new Uri(host.Address, "/focus").ToString());
        }
        await page.ReadyAsync();
        return page;
    }

    public static async Task ReadyAsync(this IPage page)
    {
        await Expect(page.Locator("[data-connection=live]")).ToBeVisibleAsync(Patient);
        await Expect(page.Locator("main[data-loaded=true]")).ToBeVisibleAsync(Patient);
    }

    /// <summary>Shows the next week, in which the demo data has no events. Returns its Monday.</summary>
    public static async Task<DateOnly> ShowNextWeekAsync(this IPage page, TestHost host)
    {
        var today = DateOnly.FromDateTime(host.Time.GetUtcNow().UtcDateTime);
        await page.GetByRole(AriaRole.Button, new() { Name = "Today", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Week after" }).ClickAsync();
        return today.AddDays(7 - (((int)today.DayOfWeek + 6) % 7));
    }

    /// <summary>Returns a second device of alice, without a page.</summary>
    public static async Task<HttpClient> DeviceAsync(this TestHost host, string device = "tablet")
    {
        var client = await host.ClientAsync("alice");
        client.DefaultRequestHeaders.Add("Dunlin-Device", device);
        return client;
    }

    public static async Task<JsonElement> OkAsync(this HttpClient client, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Returns the start and end of the event with this title, as the server has it.</summary>
    public static async Task<(string Start, string End)> TimesAsync(this HttpClient client, DateOnly from, string title)
    {
        var entry = (await client.EventsAsync(from)).Single(each => each.GetProperty("title").GetString() == title);
        return (entry.GetProperty("start").GetString()!, entry.GetProperty("end").GetString()!);
    }

    public static async Task<IReadOnlyList<JsonElement>> EventsAsync(this HttpClient client, DateOnly from, int days = 7)
    {
        var query = $"from={from:yyyy-MM-dd}T00:00:00Z&to={from.AddDays(days):yyyy-MM-dd}T00:00:00Z";
        return [.. (await client.OkAsync(HttpMethod.Get, "/api/calendar/events?" + query)).GetProperty("items").EnumerateArray()];
    }

    public static ILocator Event(this IPage page, string title) => page.Locator("[data-event]", new() { HasText = title });

    /// <summary>Waits until the server has confirmed all changes of the calendar.</summary>
    public static Task SavedAsync(this IPage page) =>
        Expect(page.Locator("[data-event].is-waiting")).ToHaveCountAsync(0, new() { Timeout = 20_000 });

    /// <summary>Returns the point of an hour on a day of the displayed week; 0 is Monday.</summary>
    public static async Task<(float X, float Y)> PointAsync(this IPage page, int day, double hour)
    {
        var box = await page.Locator(".week-day-hours").Nth(day).BoundingBoxAsync();
        return (box!.X + (box.Width / 2), box.Y + (float)(hour * HourHeight));
    }

    public static async Task DragAsync(this IPage page, (float X, float Y) from, (float X, float Y) to)
    {
        await page.Mouse.MoveAsync(from.X, from.Y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(to.X, to.Y, new() { Steps = 6 });
        await Expect(page.Locator("[data-ghost]")).ToBeVisibleAsync();
        await page.Mouse.UpAsync();
    }

    public static Task LooksAsync(this IPage page, string look) =>
        Expect(page.Locator("[data-timer]")).ToHaveAttributeAsync("data-timer", look, new() { Timeout = 20_000 });

    public static Task UndoAsync(this IPage page) => page.GetByRole(AriaRole.Button, new() { Name = "Undo", Exact = true }).ClickAsync();

    public static string At(this DateOnly monday, int day, string time) =>
        string.Create(CultureInfo.InvariantCulture, $"{monday.AddDays(day):yyyy-MM-dd}T{time}:00+00:00");
}
