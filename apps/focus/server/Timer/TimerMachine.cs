namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// The state machine of a timer, a pure function: (state, command, now) -> (state, events). apps/focus/README.md has the table.
/// <code>
///                start                 pause
///        idle ----------> running  ------------> paused       resume continues the paused phase
///         ^                |    ^   &lt;----------
///         |         phase  v    | phase, skip    resume
///         |                break ---> paused
///         +--- complete, cancel, planned end, 24 h, from any
/// </code>
/// Every command first advances the stored state to the current time. So a late schedule, a restart or a night without any device does not
/// change the result.
/// </summary>
public static class TimerMachine
{
    // Above the clock skew between nodes, so that skew alone causes no event. In milliseconds.
    private const long ClockTolerance = 5_000;

    /// <summary>Advances the timer to <paramref name="now"/>, then applies the command.</summary>
    /// <param name="state">The timer; null if none is active.</param>
    /// <param name="command">The command.</param>
    /// <param name="now">The server's time in milliseconds.</param>
    public static TimerStep Apply(TimerState? state, TimerCommand command, long now)
    {
        var passed = Advance(state, now);
        var step = Take(passed.State, command, now);
        return step with { Events = [.. passed.Events, .. step.Events] };
    }

    /// <summary>
    /// Advances the timer to <paramref name="now"/>: ends phases, and the timer at its planned end or the cap. The result does not depend
    /// on intermediate calls.
    /// </summary>
    public static TimerStep Advance(TimerState? state, long now)
    {
        if (state is null)
            return new TimerStep(null, []);
        var events = new List<TimerEvent>();
        var left = Math.Max(0, now - state.AsOf);
        while (true)
        {
            var step = Math.Min(left, state.DueAt - state.AsOf);
            state = Pass(state, step);
            left -= step;
            if (!state.IsPaused && state is { PhaseLeft: 0, Mode: TimerMode.Normal })
                return End(state, TimerOutcome.PlannedEnd, events);
            if (state.Lived >= TimerRules.Cap)
                return End(state, TimerOutcome.Cap, events);
            if (state.IsPaused || state.PhaseLeft > 0)
                break;
            state = NextPhase(state);
            events.Add(new TimerUpdated(state, "phase"));
        }
        if (state.AsOf - now > ClockTolerance)
        {
            // The clock was set back: keep the remaining time, counted from the new time. Emit an event, because pages count from the old
            // time.
            state = state with
            {
                AsOf = now,
            };
            events.Add(new TimerUpdated(state, "clock"));
        }
        return new TimerStep(state, events);
    }

    private static TimerStep Take(TimerState? state, TimerCommand command, long now)
    {
        if (command is StartTimer start)
            return Start(state, start, now);
        if (state is null)
            return new TimerStep(null, [], TimerRefusal.NoTimer);
        if (command.TimerId is { } id && id != state.Id)
            return new TimerStep(state, [], TimerRefusal.OtherTimer);
        if (command is MoveTimer move)
            return Move(state, move);
        return command.DeviceId != state.DeviceId
            ? new TimerStep(state, [], TimerRefusal.OnOtherDevice)
            : command switch
            {
                PauseTimer => state.IsPaused ? Same(state) : Update(state with { IsPaused = true, Pauses = state.Pauses + 1 }, "paused"),
                ResumeTimer => state.IsPaused ? Update(state with { IsPaused = false }, "resumed") : Same(state),
                SkipBreak => state.Phase == TimerPhase.Break
                    ? Update(NextPhase(state) with { IsPaused = false }, "skipped")
                    : new TimerStep(state, [], TimerRefusal.NotOnBreak),
                CompleteTimer => End(state, TimerOutcome.Completed, []),
                CancelTimer => End(state, TimerOutcome.Cancelled, []),
                _ => throw new ArgumentOutOfRangeException(nameof(command), command, "Not a command of the timer."),
            };
    }

    private static TimerStep Start(TimerState? state, StartTimer start, long now)
    {
        if (state is not null)
        {
            var mine = state.DeviceId == start.DeviceId;
            return mine && state.Id == start.Id
                ? Same(state)
                : new TimerStep(state, [], mine ? TimerRefusal.AlreadyRunning : TimerRefusal.OnOtherDevice);
        }
        var started = new TimerState
        {
            Id = start.Id,
            DeviceId = start.DeviceId,
            TaskId = start.TaskId,
            TaskTitle = start.TaskTitle,
            Mode = start.Mode,
            StartedAt = now,
            AsOf = now,
            Lengths = start.Lengths,
            PhaseLeft =
                start.Mode == TimerMode.Pomodoro ? start.Lengths.Of(TimerPhase.Focus, 1) : Math.Clamp(start.Planned, 1, TimerRules.Cap),
        };
        return new TimerStep(started, [new TimerStarted(started)]);
    }

    private static TimerStep Move(TimerState state, MoveTimer move)
    {
        if (move.TargetDeviceId == state.DeviceId)
            return Same(state);
        var moved = state with { DeviceId = move.TargetDeviceId };
        return new TimerStep(moved, [new TimerMoved(moved, state.DeviceId)]);
    }

    private static TimerState Pass(TimerState state, long step) =>
        state with
        {
            AsOf = state.AsOf + step,
            Lived = state.Lived + step,
            Paused = state.Paused + (state.IsPaused ? step : 0),
            PhaseLeft = state.PhaseLeft - (state.IsPaused ? 0 : step),
            Focused = state.Focused + (!state.IsPaused && state.Phase == TimerPhase.Focus ? step : 0),
        };

    private static TimerState NextPhase(TimerState state) =>
        state.Phase == TimerPhase.Focus
            ? state with
            {
                Phase = TimerPhase.Break,
                PhaseLeft = state.Lengths.Of(TimerPhase.Break, state.Cycle),
            }
            : state with
            {
                Phase = TimerPhase.Focus,
                PhaseLeft = state.Lengths.Of(TimerPhase.Focus, state.Cycle + 1),
                Cycle = state.Cycle + 1,
            };

    private static TimerStep Same(TimerState state) => new(state, []);

    private static TimerStep Update(TimerState state, string change) => new(state, [new TimerUpdated(state, change)]);

    private static TimerStep End(TimerState state, TimerOutcome outcome, List<TimerEvent> events)
    {
        events.Add(new TimerStopped(state, outcome));
        return new TimerStep(null, events);
    }
}
