using System.Text.Json.Serialization;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>How a timer runs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TimerMode>))]
public enum TimerMode
{
    /// <summary>Once, to a planned end.</summary>
    [JsonStringEnumMemberName("normal")]
    Normal,

    /// <summary>25 minutes of focus and 5 of break, in turn, until it is ended.</summary>
    [JsonStringEnumMemberName("pomodoro")]
    Pomodoro,
}

/// <summary>What a timer is in the middle of.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TimerPhase>))]
public enum TimerPhase
{
    /// <summary>Time that counts.</summary>
    [JsonStringEnumMemberName("focus")]
    Focus,

    /// <summary>Time that does not.</summary>
    [JsonStringEnumMemberName("break")]
    Break,
}

/// <summary>
/// A timer that has not ended, as it stood at <see cref="AsOf"/>. It holds durations and one instant: time moves it on by the
/// difference to that instant, so that a clock that was set back can neither make a duration negative nor repeat a phase.
/// Times and durations are in milliseconds, times since 1970 UTC.
/// </summary>
public sealed record TimerState
{
    /// <summary>Its id, unique among the user's timers for ever.</summary>
    public required string Id { get; init; }

    /// <summary>The device that it is on.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The task that completing logs to.</summary>
    public string? TaskId { get; init; }

    /// <summary>What is shown; the task's title at the start.</summary>
    public required string TaskTitle { get; init; }

    /// <summary>How it runs.</summary>
    public required TimerMode Mode { get; init; }

    /// <summary>When it was started, for people; nothing is computed from it.</summary>
    public required long StartedAt { get; init; }

    /// <summary>The instant that the rest is true of.</summary>
    public required long AsOf { get; init; }

    /// <summary>The phase.</summary>
    public TimerPhase Phase { get; init; }

    /// <summary>Which focus phase it is, or which one the break follows; the first is 1.</summary>
    public int Cycle { get; init; } = 1;

    /// <summary>What the phase still has.</summary>
    public required long PhaseLeft { get; init; }

    /// <summary>Whether it stands still.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Focus without pauses and breaks.</summary>
    public long Focused { get; init; }

    /// <summary>All pauses together.</summary>
    public long Paused { get; init; }

    /// <summary>How many pauses.</summary>
    public int Pauses { get; init; }

    /// <summary>Everything since the start: focus, breaks and pauses. At <see cref="TimerRules.Cap"/> it ends.</summary>
    public long Lived { get; init; }

    /// <summary>When time alone changes it next.</summary>
    [JsonIgnore]
    public long DueAt => AsOf + (IsPaused ? TimerRules.Cap - Lived : Math.Min(PhaseLeft, TimerRules.Cap - Lived));

    /// <summary><c>running</c>, <c>break</c> or <c>paused</c>.</summary>
    [JsonIgnore]
    public string Status =>
        IsPaused ? "paused"
        : Phase == TimerPhase.Break ? "break"
        : "running";
}

/// <summary>The lengths, in milliseconds.</summary>
public static class TimerRules
{
    /// <summary>One minute.</summary>
    public const long Minute = 60_000;

    /// <summary>The focus of a pomodoro.</summary>
    public const long PomodoroFocus = 25 * Minute;

    /// <summary>The break of a pomodoro.</summary>
    public const long PomodoroBreak = 5 * Minute;

    /// <summary>The longest life of a timer, pauses included: what was forgotten ends by itself.</summary>
    public const long Cap = 24 * 60 * Minute;
}
