using System.Text.Json;

namespace Dunlin.Focus.Tests;

public sealed class TimerPayloadTests
{
    [Fact]
    public async Task Started_and_moved_carry_the_timer_fields_at_the_top()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("tablet");
        using var laptop = host.Client("laptop", userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36");
        using var phone = host.Client("phone", userAgent: "Mozilla/5.0 (iPhone) Version/18.0 Mobile Safari/604.1");
        var task = await laptop.TaskAsync("Write");
        var timer = (await laptop.CommandAsync("start", new { taskId = task, plannedMinutes = 40 })).GetProperty("timer");
        var started = (await stream.UntilAsync("timer:started")).Payload;
        Assert.Equal(
            ["taskId", "taskTitle", "startedAt", "plannedEndTime", "mode", "pomodoroState", "deviceName", "timer"],
            started.EnumerateObject().Select(field => field.Name)
        );
        Assert.Equal((task, "Write", "normal"), (Text(started, "taskId"), Text(started, "taskTitle"), Text(started, "mode")));
        Assert.Equal("Chrome on Linux", Text(started, "deviceName"));
        foreach (var field in started.EnumerateObject().Where(field => field.Name != "timer"))
            Assert.Equal(timer.GetProperty(field.Name).GetRawText(), field.Value.GetRawText());

        await phone.CommandAsync("move");
        var moved = (await stream.UntilAsync("timer:moved")).Payload;
        Assert.Equal(("phone", "laptop"), (Text(moved, "targetDeviceId"), Text(moved, "fromDeviceId")));
        Assert.Equal(("Safari on iPhone", "Write"), (Text(moved, "deviceName"), Text(moved, "taskTitle")));
        Assert.Equal(started.GetProperty("plannedEndTime").GetRawText(), moved.GetProperty("plannedEndTime").GetRawText());
    }

    [Fact]
    public async Task Updated_carries_the_pomodoro_state_at_the_top()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("tablet");
        using var laptop = host.Client();
        await laptop.CommandAsync("start", new { mode = "pomodoro" });
        var started = (await stream.UntilAsync("timer:started")).Payload;
        Assert.Equal(JsonValueKind.Null, started.GetProperty("plannedEndTime").ValueKind);
        await host.AdvanceAsync(TimeSpan.FromMinutes(26));
        var updated = (await stream.UntilAsync("timer:updated")).Payload;
        Assert.Equal("phase", Text(updated, "change"));
        var state = updated.GetProperty("pomodoroState");
        Assert.Equal(("break", 1), (Text(state, "phase"), state.GetProperty("cycle").GetInt32()));
        Assert.Equal(state.GetRawText(), updated.GetProperty("timer").GetProperty("pomodoroState").GetRawText());
        Assert.False(updated.TryGetProperty("targetDeviceId", out _));
    }

    private static string? Text(JsonElement from, string name) => from.GetProperty(name).GetString();
}
