using System.Text.Json;

namespace Dunlin.Focus.Tests;

public sealed class TimerRestoreTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_cancelled_timer_continues_without_the_time_in_between()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("tablet");
        using var laptop = host.Client();
        var task = await laptop.TaskAsync("Write");
        var id = Id(await laptop.CommandAsync("start", new { taskId = task, plannedMinutes = 40 }));
        await host.AdvanceAsync(10 * Minute);
        await laptop.CommandAsync("cancel", new { timerId = id });
        await stream.UntilAsync("timer:stopped");
        await host.AdvanceAsync(5 * Minute);
        await host.RestartAsync();
        var restored = await laptop.CommandAsync("restore", new { timerId = id });
        Assert.Equal(30 * 60_000, restored.GetProperty("timer").GetProperty("remainingMs").GetInt64());
        // A repeated request, because its answer was lost, changes nothing.
        var again = await laptop.CommandAsync("restore", new { timerId = id });
        Assert.Equal(restored.GetProperty("version").GetInt64(), again.GetProperty("version").GetInt64());
        await host.AdvanceAsync(31 * Minute);
        Assert.Equal(40, (await laptop.TaskNowAsync(task)).GetProperty("loggedMinutes").GetInt64());
        var session = Assert.Single((await laptop.OkAsync("GET", "/api/timer/sessions")).EnumerateArray());
        Assert.Equal("plannedEnd", session.GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task Only_the_last_cancelled_timer_is_restored()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        using var phone = host.Client("phone");
        var completed = Id(await laptop.CommandAsync("start"));
        await laptop.CommandAsync("complete");
        Assert.Equal("not_cancelled", await ReasonAsync(laptop, completed));
        var first = Id(await laptop.CommandAsync("start"));
        await laptop.CommandAsync("cancel");
        var second = Id(await laptop.CommandAsync("start", new { taskTitle = "Second" }));
        Assert.Equal("timer_already_running", await ReasonAsync(laptop, first));
        await laptop.CommandAsync("pause");
        var refused = await phone.RefusedAsync("restore", new { timerId = first });
        Assert.Contains("'Second' is paused on another device", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await laptop.CommandAsync("cancel");
        Assert.Equal("not_cancelled", await ReasonAsync(laptop, first));
        // The device that undoes the cancellation runs the timer.
        var timer = (await phone.CommandAsync("restore", new { timerId = second })).GetProperty("timer");
        Assert.Equal(("phone", "paused"), (timer.GetProperty("deviceId").GetString(), timer.GetProperty("status").GetString()));
        Assert.Equal(400, (await phone.SendAsync("POST", "/api/timer/restore", new { })).Status);
    }

    private static string Id(JsonElement answer) => answer.GetProperty("timer").GetProperty("id").GetString()!;

    private static async Task<string?> ReasonAsync(FocusClient client, string timerId) =>
        (await client.RefusedAsync("restore", new { timerId })).GetProperty("reason").GetString();
}
