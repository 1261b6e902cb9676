namespace Dunlin.Limits;

/// <summary>How often one user may do one kind of thing: so many a second on average, and so many at once after a pause.</summary>
/// <param name="What">What is counted, in the plural, as it is told to the user: <c>events</c>.</param>
/// <param name="PerSecond">The average; zero or less for no limit.</param>
/// <param name="Burst">At once, above the average; 1 or more.</param>
public sealed record UserRate(string What, double PerSecond, int Burst)
{
    /// <summary>A rate that is counted by the hour: all of it may be used at once.</summary>
    public static UserRate Hourly(string what, int perHour) => new(what, perHour / 3_600.0, Math.Max(1, perHour));

    internal string Text =>
        PerSecond >= 1
            ? FormattableString.Invariant($"The limit for one user is {PerSecond:0.##} {What} per second.")
            : FormattableString.Invariant($"The limit for one user is {Burst} {What} per hour.");

    internal double Limit => PerSecond >= 1 ? PerSecond : Burst;
}
