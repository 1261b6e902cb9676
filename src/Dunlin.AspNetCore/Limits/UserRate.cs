namespace Dunlin.Limits;

/// <summary>Describes how often one user may perform one kind of operation: an average rate and a burst. Immutable.</summary>
/// <param name="What">The counted noun, in the plural, for error texts: <c>events</c>.</param>
/// <param name="PerSecond">The average rate per second. Zero or less means no limit.</param>
/// <param name="Burst">The maximum number at once after a pause: 1 or more.</param>
public sealed record UserRate(string What, double PerSecond, int Burst)
{
    /// <summary>Returns a rate per hour. The user may spend the whole hourly amount at once.</summary>
    /// <param name="what">The counted noun, in the plural, for error texts.</param>
    /// <param name="perHour">The number per hour. Zero means no limit.</param>
    public static UserRate Hourly(string what, int perHour) => new(what, perHour / 3_600.0, Math.Max(1, perHour));

    internal string Text =>
        PerSecond >= 1
            ? FormattableString.Invariant($"The limit for one user is {PerSecond:0.##} {What} per second.")
            : FormattableString.Invariant($"The limit for one user is {Burst} {What} per hour.");

    internal double Limit => PerSecond >= 1 ? PerSecond : Burst;
}
