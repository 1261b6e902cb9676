using System.Globalization;
using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <summary>The duration of a lease, from its grant or renewal: 1 ms to 1 day. Immutable.</summary>
/// <remarks>
/// The value <c>default</c> means <see cref="LeaseOptions.DefaultDuration"/> for an acquire, and the current duration for a renewal. Leases
/// of the store last whole seconds, rounded up, and at most <see cref="LeaseOptions.MaxDuration"/>. A call with a longer duration fails
/// with <see cref="ErrorCode.InvalidField"/>.
/// </remarks>
public readonly record struct LeaseDuration
{
    /// <summary>The minimum duration: 1 ms.</summary>
    public static readonly TimeSpan MinValue = TimeSpan.FromMilliseconds(1);

    /// <summary>The maximum duration: 1 day.</summary>
    public static readonly TimeSpan MaxValue = TimeSpan.FromDays(1);

    private LeaseDuration(TimeSpan value) => Value = value;

    /// <summary>Gets the duration; zero for <c>default</c>.</summary>
    public TimeSpan Value { get; }

    /// <summary>Gets whether the value is <c>default</c>.</summary>
    public bool IsDefault => Value == TimeSpan.Zero;

    /// <summary>Creates a duration from a time span.</summary>
    /// <param name="value">The time span: <see cref="MinValue"/> to <see cref="MaxValue"/>.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the value is out of range.</exception>
    public static LeaseDuration FromTimeSpan(TimeSpan value) =>
        value >= MinValue && value <= MaxValue
            ? new LeaseDuration(value)
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"A lease must last 1 millisecond to 1 day, not {value.ToString("c", CultureInfo.InvariantCulture)}.",
                "seconds"
            );

    /// <summary>Creates a duration from the seconds of a request.</summary>
    /// <param name="seconds">The duration in seconds: 1 to 86,400.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the value is out of range.</exception>
    public static LeaseDuration FromSeconds(int seconds) => FromTimeSpan(TimeSpan.FromSeconds(seconds));

    /// <summary>Creates a duration from the seconds of a request.</summary>
    /// <param name="seconds">The duration in seconds: 1 to 86,400; null returns <c>default</c>.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the value is out of range.</exception>
    public static LeaseDuration FromSeconds(int? seconds) => seconds is { } value ? FromSeconds(value) : default;

    /// <inheritdoc/>
    public override string ToString() => IsDefault ? "default" : Value.ToString("c", CultureInfo.InvariantCulture);

    /// <summary>Converts a time span as <see cref="FromTimeSpan"/> does.</summary>
    public static implicit operator LeaseDuration(TimeSpan value) => FromTimeSpan(value);
}
