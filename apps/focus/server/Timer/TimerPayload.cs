using System.Text.Json.Serialization;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// The payload of <c>started</c>, <c>updated</c> and <c>moved</c>. The names at the top describe the timer to a client that needs no more;
/// <paramref name="Timer"/> is its complete state.
/// </summary>
/// <param name="TaskId">The task to log to.</param>
/// <param name="TaskTitle">The displayed title.</param>
/// <param name="StartedAt">When the timer started.</param>
/// <param name="PlannedEndTime">When it ends; null while paused and for a pomodoro.</param>
/// <param name="Mode">The mode.</param>
/// <param name="PomodoroState">The phase of a pomodoro.</param>
/// <param name="DeviceName">The name of the device that runs the timer.</param>
/// <param name="Timer">The complete state.</param>
public sealed record TimerPayload(
    string? TaskId,
    string TaskTitle,
    DateTimeOffset StartedAt,
    DateTimeOffset? PlannedEndTime,
    TimerMode Mode,
    PomodoroView? PomodoroState,
    string DeviceName,
    TimerView Timer
)
{
    /// <summary>Of <c>updated</c>: what changed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Change { get; init; }

    /// <summary>Of <c>moved</c>: the device that runs the timer now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TargetDeviceId { get; init; }

    /// <summary>Of <c>moved</c>: the device that ran the timer before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FromDeviceId { get; init; }

    internal static TimerPayload Of(TimerView timer) =>
        new(timer.TaskId, timer.TaskTitle, timer.StartedAt, timer.PlannedEndTime, timer.Mode, timer.PomodoroState, timer.DeviceName, timer);
}
