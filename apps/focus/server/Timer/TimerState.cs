using System.Text.Json.Serialization;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>How a timer runs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TimerMode>))]
public enum TimerMode
{
    /// <summary>One phase with a planned end.</summary>
    [JsonStringEnumMemberName("normal")]
    Normal,

    /// <summary>Focus and break in turn, until the timer is ended. <see cref="PhaseLengths"/> has their lengths.</summary>
    [JsonStringEnumMemberName("pomodoro")]
    Pomodoro,
}

/// <summary>The phase of a timer.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TimerPhase>))]
public enum TimerPhase
{
    /// <summary>Focus time, which is counted.</summary>
    [JsonStringEnumMemberName("focus")]
    Focus,

    /// <summary>A break, which is not counted.</summary>
    [JsonStringEnumMemberName("break")]
    Break,
}

/// <summary>
/// An active timer as of <see cref="AsOf"/>. It consists of durations and one instant, and advances by the difference to that instant. So a
/// clock that was set back can neither make a duration negative nor repeat a phase. Durations are in milliseconds, times in milliseconds
/// since 1970 UTC.
/// </summary>
public sealed record TimerState
{
    /// <summary>The timer's id. A user's timers never share an id.</summary>
    public required string Id { get; init; }

    /// <summary>The device that runs the timer.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The task to log to.</summary>
    public string? TaskId { get; init; }

    /// <summary>The displayed title: the task's title at the start.</summary>
    public required string TaskTitle { get; init; }

    /// <summary>The mode.</summary>
    public required TimerMode Mode { get; init; }

    /// <summary>The start time, for display only.</summary>
    public required long StartedAt { get; init; }

    /// <summary>The instant to which the other values refer.</summary>
    public required long AsOf { get; init; }

    /// <summary>The current phase.</summary>
    public TimerPhase Phase { get; init; }

    /// <summary>Number of the current focus phase, or of the one before the break; the first is 1.</summary>
    public int Cycle { get; init; } = 1;

    /// <summary>The lengths of a pomodoro's phases, as of the start.</summary>
    public PhaseLengths Lengths { get; init; } = PhaseLengths.Default;

    /// <summary>Remaining time of the phase.</summary>
    public required long PhaseLeft { get; init; }

    /// <summary>Whether the timer is paused.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Focus time without pauses and breaks.</summary>
    public long Focused { get; init; }

    /// <summary>Total time of all pauses.</summary>
    public long Paused { get; init; }

    /// <summary>Number of pauses.</summary>
    public int Pauses { get; init; }

    /// <summary>Total time since the start: focus, breaks and pauses. The timer ends at <see cref="TimerRules.Cap"/>.</summary>
    public long Lived { get; init; }

    /// <summary>When the timer changes next without a command.</summary>
    [JsonIgnore]
    public long DueAt => AsOf + (IsPaused ? TimerRules.Cap - Lived : Math.Min(PhaseLeft, TimerRules.Cap - Lived));

    /// <summary><c>running</c>, <c>break</c> or <c>paused</c>.</summary>
    [JsonIgnore]
    public string Status =>
        IsPaused ? "paused"
        : Phase == TimerPhase.Break ? "break"
        : "running";
}

/// <summary>Durations in milliseconds.</summary>
public static class TimerRules
{
    /// <summary>One minute.</summary>
    public const long Minute = 60_000;

    /// <summary>The maximum duration of a timer, including pauses, so that a forgotten timer ends.</summary>
    public const long Cap = 24 * 60 * Minute;
}
