using Dunlin.Apps.Focus.Timer;

namespace Dunlin.Focus.Tests;

public sealed class PhaseLengthTests
{
    private const long Minute = TimerRules.Minute;
    private static readonly object Long = new
    {
        focusMinutes = 10,
        breakMinutes = 2,
        longBreakMinutes = 20,
        longBreakEvery = 2,
    };

    [Fact]
    public void A_long_break_follows_every_nth_focus_phase()
    {
        var start = new StartTimer("a", "t", null, "Focus", TimerMode.Pomodoro, 0) { Lengths = new PhaseLengths(10, 2, 20, 2) };
        var state = TimerMachine.Apply(null, start, 0).State;
        var step = TimerMachine.Advance(state, 60 * Minute);
        Assert.Equal(
            [
                (TimerPhase.Break, 1, 10L),
                (TimerPhase.Focus, 2, 12L),
                (TimerPhase.Break, 2, 22L),
                (TimerPhase.Focus, 3, 42L),
                (TimerPhase.Break, 3, 52L),
                (TimerPhase.Focus, 4, 54L),
            ],
            step.Events.Select(e => (e.State.Phase, e.State.Cycle, e.State.AsOf / Minute))
        );
    }

    [Fact]
    public async Task Lengths_reach_all_devices_and_apply_from_the_next_start()
    {
        await using var host = await FocusHost.StartAsync();
        await using var stream = await host.OpenAsync("phone");
        using var laptop = host.Client();
        using var phone = host.Client("phone");
        Assert.Equal(25, (await phone.OkAsync("GET", "/api/timer/settings")).GetProperty("focusMinutes").GetInt32());
        await laptop.CommandAsync("start", new { mode = "pomodoro" });
        var saved = await laptop.OkAsync("PUT", "/api/timer/settings", Long);
        Assert.Equal(saved.GetRawText(), (await stream.UntilAsync("settings:updated")).Payload.GetRawText());
        Assert.Equal(saved.GetRawText(), (await laptop.OkAsync("PUT", "/api/timer/settings", Long)).GetRawText());
        Assert.Equal(saved.GetRawText(), (await phone.OkAsync("GET", "/api/timer/settings")).GetRawText());
        // The running timer keeps its lengths.
        await host.AdvanceAsync(TimeSpan.FromMinutes(12));
        Assert.Equal("running", (await laptop.TimerAsync()).GetProperty("timer").GetProperty("status").GetString());
        await laptop.CommandAsync("cancel");
        await laptop.CommandAsync("start", new { mode = "pomodoro" });
        await host.RestartAsync(TimeSpan.FromMinutes(23));
        var state = (await laptop.TimerAsync()).GetProperty("timer").GetProperty("pomodoroState");
        Assert.Equal(
            ("break", true, 20 * Minute),
            (state.GetProperty("phase").GetString(), state.GetProperty("isLongBreak").GetBoolean(), state.GetProperty("phaseMs").GetInt64())
        );
        using var bob = host.Client("bobs", "bob");
        Assert.Equal(25, (await bob.OkAsync("GET", "/api/timer/settings")).GetProperty("focusMinutes").GetInt32());
    }

    [Theory]
    [InlineData(0, 5, 15, 4, "focusMinutes")]
    [InlineData(181, 5, 15, 4, "focusMinutes")]
    [InlineData(25, 61, 15, 4, "breakMinutes")]
    [InlineData(25, 5, -1, 4, "longBreakMinutes")]
    [InlineData(25, 5, 15, 1, "longBreakEvery")]
    [InlineData(25, 5, 15, 13, "longBreakEvery")]
    public async Task Lengths_out_of_range_are_refused_with_their_field(int focus, int pause, int longPause, int every, string field)
    {
        await using var host = await FocusHost.StartAsync();
        using var laptop = host.Client();
        var (status, body) = await laptop.SendAsync(
            "PUT",
            "/api/timer/settings",
            new
            {
                focusMinutes = focus,
                breakMinutes = pause,
                longBreakMinutes = longPause,
                longBreakEvery = every,
            }
        );
        Assert.Equal((400, field), (status, body.GetProperty("field").GetString()));
    }
}
