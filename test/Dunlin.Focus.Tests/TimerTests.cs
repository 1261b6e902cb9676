using System.Text.Json;
using Dunlin.Apps.Focus;
using Dunlin.Apps.Focus.Timer;

namespace Dunlin.Focus.Tests;

public sealed class TimerTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_start_elsewhere_is_refused_with_device_task_and_start_time()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client(
            "laptop",
            userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
        );
        using var phone = host.Client(
            "phone",
            userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1"
        );
        var task = await laptop.TaskAsync("Write the report");
        var started = (await laptop.CommandAsync("start", new { taskId = task })).GetProperty("timer");
        var refused = await phone.RefusedAsync("start", new { taskTitle = "Something else" });
        Assert.Equal("timer_on_other_device", refused.GetProperty("reason").GetString());
        Assert.Equal("Chrome on Linux", refused.GetProperty("deviceName").GetString());
        Assert.Equal("Write the report", refused.GetProperty("taskTitle").GetString());
        Assert.Equal(started.GetProperty("startedAt").GetString(), refused.GetProperty("startedAt").GetString());
        Assert.Equal("conflict", refused.GetProperty("code").GetString());
        Assert.Equal("timer_already_running", (await laptop.RefusedAsync("start")).GetProperty("reason").GetString());
        Assert.Equal(
            ["Chrome on Linux", "Safari on iPhone"],
            (await phone.OkAsync("GET", "/api/devices")).EnumerateArray().Select(d => d.GetProperty("name").GetString())
        );
    }

    [Fact]
    public async Task Of_200_concurrent_start_pairs_exactly_one_of_each_succeeds()
    {
        await using var host = await FocusHost.StartAsync();
        for (var pair = 0; pair < 200; pair++)
        {
            var user = $"user{pair}";
            using var one = host.Client($"{user}-one", user);
            using var two = host.Client($"{user}-two", user);
            await Task.WhenAll(one.OkAsync("GET", "/api/timer"), two.OkAsync("GET", "/api/timer"));
            var answers = await Task.WhenAll(
                one.SendAsync("POST", "/api/timer/start", new { taskTitle = "One" }),
                two.SendAsync("POST", "/api/timer/start", new { taskTitle = "Two" })
            );
            var winner = Assert.Single(answers, a => a.Status == 200).Body.GetProperty("timer");
            var refused = Assert.Single(answers, a => a.Status == 409).Body;
            Assert.Equal("timer_on_other_device", refused.GetProperty("reason").GetString());
            Assert.Equal(winner.GetProperty("taskTitle").GetString(), refused.GetProperty("taskTitle").GetString());
            Assert.Equal(winner.GetProperty("deviceName").GetString(), refused.GetProperty("deviceName").GetString());
            Assert.Equal(winner.GetProperty("id").GetString(), (await one.TimerAsync()).GetProperty("timer").GetProperty("id").GetString());
        }
    }

    [Fact]
    public async Task Only_the_device_with_the_timer_commands_it_and_any_may_move_it()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("tablet");
        using var laptop = host.Client("laptop");
        using var phone = host.Client("phone");
        await laptop.CommandAsync("start", new { mode = "pomodoro" });
        foreach (var command in new[] { "pause", "resume", "skip-break", "complete", "cancel" })
            Assert.Equal("timer_on_other_device", (await phone.RefusedAsync(command)).GetProperty("reason").GetString());
        await phone.CommandAsync("move");
        Assert.Equal("timer_on_other_device", (await laptop.RefusedAsync("pause")).GetProperty("reason").GetString());
        Assert.Equal("paused", (await phone.CommandAsync("pause")).GetProperty("timer").GetProperty("status").GetString());
        await stream.UntilAsync("timer:started");
        var moved = await stream.NextAsync();
        Assert.Equal("timer:moved", moved.Name);
        Assert.Equal(
            ("phone", "laptop"),
            (moved.Payload.GetProperty("targetDeviceId").GetString(), moved.Payload.GetProperty("fromDeviceId").GetString())
        );
        // Moved from one device to another of the same user by a third.
        using var tablet = host.Client("tablet");
        await tablet.CommandAsync("move", new { targetDeviceId = "laptop" });
        Assert.Equal("laptop", (await tablet.TimerAsync()).GetProperty("timer").GetProperty("deviceId").GetString());
    }

    [Fact]
    public async Task Completing_logs_the_minutes_once_despite_repeats()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var task = await laptop.TaskAsync("Write");
        var timerId = (await laptop.CommandAsync("start", new { taskId = task, plannedMinutes = 60 }))
            .GetProperty("timer")
            .GetProperty("id")
            .GetString();
        await host.AdvanceAsync(10 * Minute);
        await laptop.CommandAsync("pause");
        await host.AdvanceAsync(7 * Minute);
        await laptop.CommandAsync("resume");
        await host.AdvanceAsync(5 * Minute);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => laptop.CommandAsync("complete", new { timerId })));
        Assert.All(
            answers,
            a =>
                Assert.Equal(
                    (15L, "completed"),
                    (
                        a.GetProperty("session").GetProperty("minutes").GetInt64(),
                        a.GetProperty("session").GetProperty("outcome").GetString()
                    )
                )
        );
        Assert.Equal(15, (await laptop.TaskNowAsync(task)).GetProperty("loggedMinutes").GetInt64());
        // Also while a newer timer is running.
        await laptop.CommandAsync("start");
        var again = await laptop.CommandAsync("complete", new { timerId });
        Assert.Equal("running", again.GetProperty("timer").GetProperty("status").GetString());
        Assert.Equal(15, (await laptop.TaskNowAsync(task)).GetProperty("loggedMinutes").GetInt64());
        Assert.Equal("timer_ended", (await laptop.RefusedAsync("cancel", new { timerId })).GetProperty("reason").GetString());
        Assert.Equal("other_timer", (await laptop.RefusedAsync("pause", new { timerId = "never-was" })).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Cancelling_logs_nothing_and_a_repeated_start_starts_once()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var task = await laptop.TaskAsync("Write");
        await laptop.CommandAsync("start", new { taskId = task, timerId = "mine" });
        await host.AdvanceAsync(Minute);
        var again = (await laptop.CommandAsync("start", new { taskId = task, timerId = "mine" })).GetProperty("timer");
        Assert.Equal(
            60_000,
            (again.GetProperty("asOf").GetDateTimeOffset() - again.GetProperty("startedAt").GetDateTimeOffset()).TotalMilliseconds
        );
        await laptop.CommandAsync("cancel", new { timerId = "mine" });
        await laptop.CommandAsync("cancel", new { timerId = "mine" });
        Assert.Equal(0, (await laptop.TaskNowAsync(task)).GetProperty("loggedMs").GetInt64());
        Assert.Equal("timer_ended", (await laptop.RefusedAsync("start", new { timerId = "mine" })).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Phases_advance_on_the_server_with_no_device_connected()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        string? before;
        await using (var stream = await host.OpenAsync())
        {
            await laptop.CommandAsync("start", new { mode = "pomodoro" });
            await stream.UntilAsync("timer:started");
            before = stream.LastId;
        }
        for (var i = 0; i < 62; i++)
            await host.AdvanceAsync(Minute);
        var timer = (await laptop.TimerAsync()).GetProperty("timer");
        Assert.Equal(
            (3, "focus"),
            (
                timer.GetProperty("pomodoroState").GetProperty("cycle").GetInt32(),
                timer.GetProperty("pomodoroState").GetProperty("phase").GetString()
            )
        );
        await using var later = await host.OpenAsync(lastEventId: before);
        for (var i = 0; i < 4; i++)
            Assert.Equal("phase", (await later.UntilAsync("timer:updated")).Payload.GetProperty("change").GetString());
        Assert.Null(later.Seen[^1].SourceDeviceId);
        await laptop.CommandAsync("pause");
        Assert.Equal("paused", (await later.UntilAsync("timer:updated")).Payload.GetProperty("change").GetString());
        Assert.Equal("laptop", later.Seen[^1].SourceDeviceId);
    }

    [Fact]
    public async Task A_restart_within_a_phase_continues_it_and_counts_missed_phases()
    {
        await using var host = await FocusHost.StartAsync();
        var task = "";
        using (var laptop = host.Client())
        {
            task = await laptop.TaskAsync("Write");
            await laptop.CommandAsync("start", new { taskId = task, mode = "pomodoro" });
        }
        await host.AdvanceAsync(10 * Minute);
        await host.RestartAsync();
        using (var laptop = host.Client())
        {
            await host.AdvanceAsync(14 * Minute);
            Assert.Equal("running", Status(await laptop.TimerAsync()));
            await host.AdvanceAsync(2 * Minute);
            Assert.Equal("break", Status(await laptop.TimerAsync()));
        }
        // 64 minutes of downtime: the rest of this break, two focus phases and their breaks.
        await host.RestartAsync(64 * Minute);
        using (var laptop = host.Client())
        {
            var timer = (await laptop.TimerAsync()).GetProperty("timer");
            Assert.Equal(
                (4, "running"),
                (timer.GetProperty("pomodoroState").GetProperty("cycle").GetInt32(), timer.GetProperty("status").GetString())
            );
            await laptop.CommandAsync("complete");
            Assert.Equal(75, (await laptop.TaskNowAsync(task)).GetProperty("loggedMinutes").GetInt64());
        }
    }

    [Fact]
    public async Task A_clock_set_back_at_a_restart_repeats_nothing()
    {
        await using var host = await FocusHost.StartAsync();
        using (var laptop = host.Client())
            await laptop.CommandAsync("start", new { mode = "pomodoro" });
        await host.AdvanceAsync(26 * Minute);
        await host.RestartAsync(TimeSpan.FromHours(-3));
        using (var laptop = host.Client())
        {
            var timer = (await laptop.TimerAsync()).GetProperty("timer");
            Assert.Equal("break", timer.GetProperty("status").GetString());
            Assert.Equal(25 * 60_000, timer.GetProperty("focusedMs").GetInt64());
            await host.AdvanceAsync(6 * Minute);
            Assert.Equal("running", Status(await laptop.TimerAsync()));
        }
    }

    [Fact]
    public async Task A_normal_timer_ends_and_logs_at_its_planned_end()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await using var stream = await host.OpenAsync("phone");
        var task = await laptop.TaskAsync("Write");
        var end = host
            .Time.GetUtcNow()
            .AddMinutes(40)
            .ToOffset(TimeSpan.FromHours(2))
            .ToString("yyyy-MM-ddTHH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture);
        var timerId = (await laptop.CommandAsync("start", new { taskId = task, plannedEndTime = end }))
            .GetProperty("timer")
            .GetProperty("id")
            .GetString();
        await host.AdvanceAsync(42 * Minute);
        var stopped = await stream.UntilAsync("timer:stopped");
        Assert.Equal(
            ("plannedEnd", 40L),
            (stopped.Payload.GetProperty("outcome").GetString(), stopped.Payload.GetProperty("minutes").GetInt64())
        );
        Assert.Equal(40, (await stream.UntilAsync("tasks:updated")).Payload.GetProperty("task").GetProperty("loggedMinutes").GetInt64());
        // A "complete" just after that returns the ended timer.
        Assert.Equal(
            "plannedEnd",
            (await laptop.CommandAsync("complete", new { timerId })).GetProperty("session").GetProperty("outcome").GetString()
        );
        Assert.Equal(40, (await laptop.TaskNowAsync(task)).GetProperty("loggedMinutes").GetInt64());
    }

    [Fact]
    public async Task A_forgotten_pause_ends_after_24_hours()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var task = await laptop.TaskAsync("Write");
        await laptop.CommandAsync("start", new { taskId = task, plannedMinutes = 1_440 });
        await host.AdvanceAsync(30 * Minute);
        await laptop.CommandAsync("pause");
        await host.AdvanceAsync(TimeSpan.FromHours(24));
        var answer = await laptop.TimerAsync();
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("timer").ValueKind);
        var session = (await laptop.OkAsync("GET", "/api/timer/sessions"))[0];
        Assert.Equal(
            ("cap", 30L, 1),
            (
                session.GetProperty("outcome").GetString(),
                session.GetProperty("minutes").GetInt64(),
                session.GetProperty("pauses").GetInt32()
            )
        );
        Assert.Equal(TimerRules.Cap - (30 * 60_000), session.GetProperty("pausedMs").GetInt64());
    }

    [Fact]
    public async Task Skipping_ends_a_break_and_nothing_else()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        await laptop.CommandAsync("start", new { mode = "pomodoro" });
        Assert.Equal("not_on_break", (await laptop.RefusedAsync("skip-break")).GetProperty("reason").GetString());
        await host.AdvanceAsync(26 * Minute);
        var timer = (await laptop.CommandAsync("skip-break")).GetProperty("timer");
        Assert.Equal(
            (2, 25L * 60_000),
            (timer.GetProperty("pomodoroState").GetProperty("cycle").GetInt32(), timer.GetProperty("remainingMs").GetInt64())
        );
        Assert.Equal("not_on_break", (await laptop.RefusedAsync("skip-break")).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_deleted_task_keeps_its_timer_running_and_gets_no_log()
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var task = await laptop.TaskAsync("Write");
        await laptop.CommandAsync("start", new { taskId = task });
        await host.AdvanceAsync(3 * Minute);
        await laptop.OkAsync("DELETE", "/api/tasks/" + task);
        var session = (await laptop.CommandAsync("complete")).GetProperty("session");
        Assert.Equal((180_000L, 0L), (session.GetProperty("focusedMs").GetInt64(), session.GetProperty("loggedMs").GetInt64()));
    }

    private static string? Status(JsonElement answer) => answer.GetProperty("timer").GetProperty("status").GetString();
}
