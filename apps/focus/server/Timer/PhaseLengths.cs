using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>The lengths of a pomodoro's phases. A timer keeps those of its start.</summary>
/// <param name="FocusMinutes">The focus phase: 1 to 180.</param>
/// <param name="BreakMinutes">The break: 1 to 60.</param>
/// <param name="LongBreakMinutes">The long break: 1 to 120.</param>
/// <param name="LongBreakEvery">The long break follows each focus phase whose number this divides: 2 to 12; 0 for none.</param>
public sealed record PhaseLengths(int FocusMinutes, int BreakMinutes, int LongBreakMinutes, int LongBreakEvery)
{
    /// <summary>25 and 5 minutes, without a long break.</summary>
    public static PhaseLengths Default { get; } = new(25, 5, 15, 0);

    /// <summary>Returns the length of a phase in milliseconds.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="cycle">The number of the focus phase, or of the one before the break.</param>
    public long Of(TimerPhase phase, int cycle) =>
        TimerRules.Minute
        * (
            phase == TimerPhase.Focus ? FocusMinutes
            : IsLongBreak(phase, cycle) ? LongBreakMinutes
            : BreakMinutes
        );

    /// <summary>Whether the phase is a long break.</summary>
    public bool IsLongBreak(TimerPhase phase, int cycle) => phase == TimerPhase.Break && LongBreakEvery > 0 && cycle % LongBreakEvery == 0;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: a length is out of its range.</exception>
    internal PhaseLengths Check()
    {
        Check(FocusMinutes, 180, "focusMinutes");
        Check(BreakMinutes, 60, "breakMinutes");
        Check(LongBreakMinutes, 120, "longBreakMinutes");
        return LongBreakEvery is 0 or (>= 2 and <= 12)
            ? this
            : throw new DunlinException(
                ErrorCode.InvalidField,
                "'longBreakEvery' must be 2 to 12, or 0 for no long break.",
                "longBreakEvery"
            );
    }

    private static void Check(int minutes, int max, string field)
    {
        if (minutes < 1 || minutes > max)
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must be 1 to {max} minutes.", field);
    }
}

/// <summary>The lengths of a user, on the wire.</summary>
/// <param name="FocusMinutes">The focus phase.</param>
/// <param name="BreakMinutes">The break.</param>
/// <param name="LongBreakMinutes">The long break.</param>
/// <param name="LongBreakEvery">After how many focus phases the long break follows; 0 for never.</param>
/// <param name="Version">The journal offset of the last change; 0 if there was none.</param>
public sealed record LengthsView(int FocusMinutes, int BreakMinutes, int LongBreakMinutes, int LongBreakEvery, long Version)
{
    internal static LengthsView Of(PhaseLengths lengths, long version) =>
        new(lengths.FocusMinutes, lengths.BreakMinutes, lengths.LongBreakMinutes, lengths.LongBreakEvery, version);
}
