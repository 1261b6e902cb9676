using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// A timer on the wire, as of <paramref name="AsOf"/>. The page computes the remaining time from the server's clock, not from its own.
/// </summary>
public sealed record TimerView(
    string Id,
    long Version,
    string Status,
    TimerMode Mode,
    string? TaskId,
    string TaskTitle,
    string DeviceId,
    string DeviceName,
    DateTimeOffset StartedAt,
    DateTimeOffset? PlannedEndTime,
    PomodoroView? PomodoroState,
    long RemainingMs,
    long FocusedMs,
    long PausedMs,
    int Pauses,
    DateTimeOffset AsOf
)
{
    internal static TimerView Of(TimerState state, string deviceName, long version) =>
        new(
            state.Id,
            version,
            state.Status,
            state.Mode,
            state.TaskId,
            state.TaskTitle,
            state.DeviceId,
            deviceName,
            WireTime.Of(state.StartedAt),
            state.Mode == TimerMode.Normal && !state.IsPaused ? WireTime.Of(state.AsOf + state.PhaseLeft) : null,
            state.Mode == TimerMode.Pomodoro
                ? new PomodoroView(
                    state.Phase,
                    state.Cycle,
                    state.IsPaused ? null : WireTime.Of(state.AsOf + state.PhaseLeft),
                    state.Lengths.Of(state.Phase, state.Cycle),
                    state.Lengths.IsLongBreak(state.Phase, state.Cycle)
                )
                : null,
            state.PhaseLeft,
            state.Focused,
            state.Paused,
            state.Pauses,
            WireTime.Of(state.AsOf)
        );
}

/// <summary>The phase of a pomodoro.</summary>
/// <param name="Phase">Focus or break.</param>
/// <param name="Cycle">Number of the focus phase; the first is 1.</param>
/// <param name="PhaseEndsAt">When the phase ends; null while paused.</param>
/// <param name="PhaseMs">The length of the phase in milliseconds.</param>
/// <param name="IsLongBreak">Whether the phase is a long break.</param>
public sealed record PomodoroView(TimerPhase Phase, int Cycle, DateTimeOffset? PhaseEndsAt, long PhaseMs, bool IsLongBreak);

/// <summary>A finished timer.</summary>
/// <param name="Id">The timer's id.</param>
/// <param name="Version">The journal offset of its end.</param>
/// <param name="Outcome"><c>completed</c>, <c>cancelled</c>, <c>plannedEnd</c> or <c>cap</c>.</param>
/// <param name="TaskId">The task.</param>
/// <param name="TaskTitle">The displayed title.</param>
/// <param name="Mode">The mode.</param>
/// <param name="FocusedMs">Focus time without pauses and breaks.</param>
/// <param name="LoggedMs">Focus time logged to the task: <paramref name="FocusedMs"/> or 0.</param>
/// <param name="PausedMs">Total time of all pauses.</param>
/// <param name="Pauses">Number of pauses.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="EndedAt">When it ended.</param>
public sealed record SessionView(
    string Id,
    long Version,
    string Outcome,
    string? TaskId,
    string TaskTitle,
    TimerMode Mode,
    long FocusedMs,
    long LoggedMs,
    long PausedMs,
    int Pauses,
    DateTimeOffset StartedAt,
    DateTimeOffset EndedAt
)
{
    /// <summary>Focus time in whole minutes.</summary>
    public long Minutes => FocusedMs / TimerRules.Minute;
}

/// <summary>The answer to every timer request.</summary>
/// <param name="Timer">The active timer, on any device; null if none is active.</param>
/// <param name="Version">Grows with every change of the user's timer. Of two answers, the one with the higher version is newer.</param>
/// <param name="ServerNow">The server's time.</param>
/// <param name="Session">The timer that the command, or its first attempt, ended.</param>
public sealed record TimerAnswer(TimerView? Timer, long Version, DateTimeOffset ServerNow, SessionView? Session = null);

internal static class TimerErrors
{
    public static DunlinException Of(TimerRefusal refusal, TimerState? state, string? deviceName) =>
        new(
            ErrorCode.Conflict,
            refusal switch
            {
                TimerRefusal.OnOtherDevice => $"The timer for '{state!.TaskTitle}' is {Doing(state)} on another device ({deviceName}).",
                TimerRefusal.AlreadyRunning => $"A timer for '{state!.TaskTitle}' is {Doing(state)} on this device already.",
                TimerRefusal.OtherTimer => "Another timer is active than the one that the request names.",
                TimerRefusal.NotOnBreak => "There is no break to skip.",
                TimerRefusal.Ended => "The timer has ended.",
                TimerRefusal.NotCancelled => "Only the timer that was cancelled last can be restored, until another one starts.",
                _ => "No timer is running.",
            }
        )
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["reason"] = Reason(refusal),
                ["deviceName"] = deviceName,
                ["taskTitle"] = state?.TaskTitle,
                ["startedAt"] = state is null ? null : WireTime.Of(state.StartedAt),
            },
        };

    private static string Doing(TimerState state) => state.Status == "break" ? "on a break" : state.Status;

    private static string Reason(TimerRefusal refusal) =>
        refusal switch
        {
            TimerRefusal.OnOtherDevice => "timer_on_other_device",
            TimerRefusal.AlreadyRunning => "timer_already_running",
            TimerRefusal.OtherTimer => "other_timer",
            TimerRefusal.NotOnBreak => "not_on_break",
            TimerRefusal.Ended => "timer_ended",
            TimerRefusal.NotCancelled => "not_cancelled",
            _ => "no_timer",
        };
}
