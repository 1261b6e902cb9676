using Dunlin.Apps.Focus;
using Dunlin.Apps.Focus.Timer;
using Dunlin.TestKit;

namespace Dunlin.Focus.Tests;

public sealed class TimerMachineTests
{
    private const long Minute = TimerRules.Minute;
    private static readonly string[] DeviceIds = ["a", "b", "c"];

    [Fact]
    public void A_normal_timer_ends_at_its_planned_end_and_a_pause_delays_it()
    {
        var state = Start(TimerMode.Normal, 30 * Minute);
        state = TimerMachine.Apply(state, new PauseTimer("a"), 10 * Minute).State!;
        state = TimerMachine.Apply(state, new ResumeTimer("a"), 25 * Minute).State!;
        Assert.Equal(45 * Minute, state.DueAt);
        var end = Assert.IsType<TimerStopped>(Assert.Single(TimerMachine.Advance(state, 60 * Minute).Events));
        Assert.Equal(
            (TimerOutcome.PlannedEnd, 30 * Minute, 15 * Minute, 45 * Minute),
            (end.Outcome, end.State.Focused, end.State.Paused, end.State.AsOf)
        );
    }

    [Fact]
    public void A_pomodoro_alternates_and_missed_phases_count_at_their_times()
    {
        var step = TimerMachine.Advance(Start(TimerMode.Pomodoro), 70 * Minute);
        Assert.Equal(
            [(TimerPhase.Break, 1, 25L), (TimerPhase.Focus, 2, 30L), (TimerPhase.Break, 2, 55L), (TimerPhase.Focus, 3, 60L)],
            step.Events.Select(e => (e.State.Phase, e.State.Cycle, e.State.AsOf / Minute))
        );
        Assert.Equal((60 * Minute, 15 * Minute), (step.State!.Focused, step.State.PhaseLeft));
    }

    [Fact]
    public void A_running_or_paused_timer_ends_after_24_hours()
    {
        var forgotten = TimerMachine.Apply(Start(TimerMode.Normal, 60 * Minute), new PauseTimer("a"), 20 * Minute).State;
        var end = Assert.IsType<TimerStopped>(TimerMachine.Advance(forgotten, 100 * 60 * Minute).Events[^1]);
        Assert.Equal((TimerOutcome.Cap, 20 * Minute, TimerRules.Cap), (end.Outcome, end.State.Focused, end.State.AsOf));
        var pomodoro = Assert.IsType<TimerStopped>(TimerMachine.Advance(Start(TimerMode.Pomodoro), 100 * 60 * Minute).Events[^1]);
        Assert.Equal((TimerOutcome.Cap, 48 * 25 * Minute), (pomodoro.Outcome, pomodoro.State.Focused));
    }

    [Fact]
    public void A_clock_set_back_repeats_and_removes_nothing()
    {
        var state = TimerMachine.Apply(Start(TimerMode.Pomodoro, at: 100 * Minute), new PauseTimer("a"), 110 * Minute).State;
        var back = TimerMachine.Apply(state, new ResumeTimer("a"), 40 * Minute).State!;
        Assert.Equal((10 * Minute, 15 * Minute, 40 * Minute, 55 * Minute), (back.Focused, back.PhaseLeft, back.AsOf, back.DueAt));
    }

    [Fact]
    public void Small_clock_skew_between_nodes_causes_no_event()
    {
        var state = Start(TimerMode.Pomodoro, at: 100_000);
        var earlier = TimerMachine.Advance(state, 96_000);
        Assert.Empty(earlier.Events);
        Assert.Equal(state, earlier.State);
        Assert.Equal(10_000, TimerMachine.Advance(earlier.State, 110_000).State!.Focused);
    }

    // The table of apps/focus/README.md, row by row. "-" is a refusal, "=" changes nothing, "." ends the timer.
    [Theory]
    [InlineData("idle", "start", "running")]
    [InlineData("idle", "pause", "- NoTimer")]
    [InlineData("idle", "resume", "- NoTimer")]
    [InlineData("idle", "skip", "- NoTimer")]
    [InlineData("idle", "complete", "- NoTimer")]
    [InlineData("idle", "cancel", "- NoTimer")]
    [InlineData("idle", "move", "- NoTimer")]
    [InlineData("running", "start", "- AlreadyRunning")]
    [InlineData("running", "pause", "paused")]
    [InlineData("running", "resume", "=")]
    [InlineData("running", "skip", "- NotOnBreak")]
    [InlineData("running", "complete", ". Completed")]
    [InlineData("running", "cancel", ". Cancelled")]
    [InlineData("running", "move", "running")]
    [InlineData("paused", "start", "- AlreadyRunning")]
    [InlineData("paused", "pause", "=")]
    [InlineData("paused", "resume", "running")]
    [InlineData("paused", "skip", "- NotOnBreak")]
    [InlineData("paused", "complete", ". Completed")]
    [InlineData("paused", "cancel", ". Cancelled")]
    [InlineData("paused", "move", "paused")]
    [InlineData("break", "start", "- AlreadyRunning")]
    [InlineData("break", "pause", "paused")]
    [InlineData("break", "resume", "=")]
    [InlineData("break", "skip", "running")]
    [InlineData("break", "complete", ". Completed")]
    [InlineData("break", "cancel", ". Cancelled")]
    [InlineData("break", "move", "break")]
    public void The_table_of_the_README_holds(string from, string command, string to)
    {
        var (state, now) = from switch
        {
            "idle" => ((TimerState?)null, 0L),
            "running" => (Start(TimerMode.Pomodoro), Minute),
            "paused" => (TimerMachine.Apply(Start(TimerMode.Pomodoro), new PauseTimer("a"), Minute).State, 2 * Minute),
            _ => (Start(TimerMode.Pomodoro), 26 * Minute),
        };
        state = TimerMachine.Advance(state, now).State;
        var step = TimerMachine.Apply(state, Command(command, "a"), now);
        var found = step switch
        {
            { Refusal: { } refusal } => $"- {refusal}",
            { Events: [] } => "=",
            { State: null } => $". {((TimerStopped)step.Events[^1]).Outcome}",
            _ => step.State!.Status,
        };
        Assert.Equal(to, found);
        Assert.Contains($"| {command} |", ReadmeTable());
        // Another device may only move the timer; a start reports that the timer is elsewhere.
        if (from != "idle")
            Assert.Equal(
                command == "move" ? null : TimerRefusal.OnOtherDevice,
                TimerMachine.Apply(state, Command(command, "b"), now).Refusal
            );
    }

    [Fact]
    public void Any_sequence_of_commands_restarts_and_clock_steps_keeps_invariants()
    {
        var random = TestSeed.NewRandom(out var seed);
        for (var run = 0; run < 300; run++)
            OneSequence(new Random(random.Next()), $"DUNLIN_SEED={seed}, sequence {run}");
    }

    [Fact]
    public void Intermediate_reads_do_not_change_the_result()
    {
        var random = TestSeed.NewRandom(out var seed);
        for (var run = 0; run < 2_000; run++)
        {
            var state = Start(random.Next(2) == 0 ? TimerMode.Normal : TimerMode.Pomodoro, random.Next(1, 1_441) * Minute);
            if (random.Next(3) == 0)
                state = TimerMachine.Apply(state, new PauseTimer("a"), random.NextInt64(state.DueAt)).State!;
            var end = random.NextInt64(30 * 60 * Minute) + state.AsOf;
            var middle = random.NextInt64(state.AsOf, end + 1);
            var atOnce = TimerMachine.Advance(state, end);
            var first = TimerMachine.Advance(state, middle);
            var second = TimerMachine.Advance(first.State, end);
            Assert.True(Equals(atOnce.State, second.State), $"DUNLIN_SEED={seed}, run {run}: {atOnce.State} is not {second.State}");
            Assert.Equal(atOnce.Events, [.. first.Events, .. second.Events]);
        }
    }

    /// <summary>Compares the machine with a simple model without phases or instants, which adds the seconds in focus.</summary>
    private static void OneSequence(Random random, string which)
    {
        TimerState? state = null;
        long now = 1_000_000_000_000,
            focused = 0,
            logged = 0,
            expected = 0;
        var ended = new HashSet<string>(StringComparer.Ordinal);
        var started = 0;
        for (var i = 0; i < 60; i++)
        {
            // Time passes in seconds. Sometimes the server is down for hours, or its clock is set back at a restart.
            var seconds = random.Next(10) switch
            {
                0 => random.Next(20_000),
                < 4 => random.Next(3_000),
                _ => random.Next(60),
            };
            for (var s = 0; s < seconds && state is not null; s += 1)
            {
                var before = state;
                var step = TimerMachine.Advance(state, now + 1_000);
                if (before.Status == "running")
                    focused += 1_000;
                now += 1_000;
                Take(step);
            }
            // A step of up to 5 s counts as clock skew between nodes and is ignored; see its own test.
            now += random.Next(12) == 0 ? -random.NextInt64(5_001, 4_000_000) : 0;
            var device = DeviceIds[random.Next(3)];
            var command = Command(
                new[] { "start", "start", "pause", "resume", "resume", "skip", "complete", "cancel", "move" }[random.Next(9)],
                device,
                $"t{started}",
                random
            );
            var taken = TimerMachine.Apply(state, command, now);
            if (taken.Refusal is null && command is StartTimer && state is null)
                (started, focused) = (started + 1, 0);
            if (taken.Refusal is not null)
                Assert.True(Equals(taken.State, TimerMachine.Advance(state, now).State), $"{which}: a refused {command} changed the timer");
            Take(taken);
        }

        void Take(TimerStep step)
        {
            foreach (var happened in step.Events)
            {
                var s = happened.State;
                Assert.True(s.Focused >= 0 && s.Paused >= 0 && s.PhaseLeft >= 0 && s.Lived is >= 0 and <= TimerRules.Cap, $"{which}: {s}");
                Assert.True(s.Focused + s.Paused <= s.Lived, $"{which}: more focus and pause than life: {s}");
                if (happened is TimerStopped stopped)
                {
                    Assert.True(ended.Add(s.Id), $"{which}: {s.Id} ended twice");
                    Assert.True(s.Focused == focused, $"{which}: {s.Id} counted {s.Focused} ms, it ran {focused} ms");
                    logged += stopped.Outcome == TimerOutcome.Cancelled ? 0 : s.Focused;
                    expected += stopped.Outcome == TimerOutcome.Cancelled ? 0 : focused;
                }
            }
            state = step.State;
            Assert.Equal(expected, logged);
        }
    }

    private static TimerState Start(TimerMode mode, long planned = 25 * Minute, long at = 0) =>
        TimerMachine.Apply(null, new StartTimer("a", "t", null, "Write", mode, planned), at).State!;

    private static TimerCommand Command(string name, string device, string id = "t2", Random? random = null) =>
        name switch
        {
            "start" => new StartTimer(
                device,
                id,
                null,
                "Write",
                random?.Next(2) == 0 ? TimerMode.Normal : TimerMode.Pomodoro,
                (random?.Next(1, 600) ?? 25) * Minute
            ),
            "pause" => new PauseTimer(device),
            "resume" => new ResumeTimer(device),
            "skip" => new SkipBreak(device),
            "complete" => new CompleteTimer(device),
            "cancel" => new CancelTimer(device),
            _ => new MoveTimer(device, random is null ? "c" : DeviceIds[random.Next(3)]),
        };

    private static string ReadmeTable() => Repository.Read("apps/focus/README.md");
}
