using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>A timer as it travels: as it stood at <paramref name="AsOf"/>, so that a page draws what is left from the server's
/// time and never from its own.</summary>
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
                ? new PomodoroView(state.Phase, state.Cycle, state.IsPaused ? null : WireTime.Of(state.AsOf + state.PhaseLeft))
                : null,
            state.PhaseLeft,
            state.Focused,
            state.Paused,
            state.Pauses,
            WireTime.Of(state.AsOf)
        );
}

/// <summary>Where a pomodoro stands.</summary>
/// <param name="Phase">Focus or break.</param>
/// <param name="Cycle">Which focus phase; the first is 1.</param>
/// <param name="PhaseEndsAt">When the phase ends; null while paused.</param>
public sealed record PomodoroView(TimerPhase Phase, int Cycle, DateTimeOffset? PhaseEndsAt);

/// <summary>A timer that is over.</summary>
/// <param name="Id">The timer's id.</param>
/// <param name="Version">The journal offset of its end.</param>
/// <param name="Outcome"><c>completed</c>, <c>cancelled</c>, <c>plannedEnd</c> or <c>cap</c>.</param>
/// <param name="TaskId">The task.</param>
/// <param name="TaskTitle">What was shown.</param>
/// <param name="Mode">How it ran.</param>
/// <param name="FocusedMs">Focus without pauses and breaks.</param>
/// <param name="LoggedMs">How much of it was logged to the task: all or nothing.</param>
/// <param name="PausedMs">All pauses together.</param>
/// <param name="Pauses">How many.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="EndedAt">When it ended, by itself or by its user.</param>
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
    /// <summary>Whole minutes of focus.</summary>
    public long Minutes => FocusedMs / TimerRules.Minute;
}

/// <summary>The answer to every timer request.</summary>
/// <param name="Timer">The timer that runs, on whichever device; null where none does.</param>
/// <param name="Version">Grows with every change of the user's timer: of two answers the one with the higher version is the newer.</param>
/// <param name="ServerNow">The server's time.</param>
/// <param name="Session">What the command ended, or had ended before it was repeated.</param>
public sealed record TimerAnswer(TimerView? Timer, long Version, DateTimeOffset ServerNow, SessionView? Session = null);

internal static class TimerErrors
{
    public static DunlinException Of(TimerRefusal refusal, TimerState? state, string? deviceName) =>
        new(
            ErrorCode.Conflict,
            refusal switch
            {
                TimerRefusal.OnOtherDevice => $"The timer for '{state!.TaskTitle}' is running on another device ({deviceName}).",
                TimerRefusal.AlreadyRunning => $"A timer for '{state!.TaskTitle}' is running on this device already.",
                TimerRefusal.OtherTimer => "Another timer is running than the one that was meant.",
                TimerRefusal.NotOnBreak => "There is no break to skip.",
                TimerRefusal.Ended => "That timer is over.",
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

    private static string Reason(TimerRefusal refusal) =>
        refusal switch
        {
            TimerRefusal.OnOtherDevice => "timer_on_other_device",
            TimerRefusal.AlreadyRunning => "timer_already_running",
            TimerRefusal.OtherTimer => "other_timer",
            TimerRefusal.NotOnBreak => "not_on_break",
            TimerRefusal.Ended => "timer_ended",
            _ => "no_timer",
        };
}
