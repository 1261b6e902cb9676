using System.Globalization;
using Dunlin.Diagnostics;

namespace Dunlin.Leases;

/// <summary>
/// How long a lease lasts unless it is renewed: 1 ms to 1 day. The value <c>default</c> stands for the configured duration when a lease is
/// acquired, and for the duration of the lease when it is renewed.
/// </summary>
/// <remarks>
/// Leases of the store last whole seconds, rounded up, and at most <see cref="LeaseOptions.MaxDuration"/>. A longer duration is refused
/// with <see cref="ErrorCode.InvalidField"/> by the call that uses it.
/// </remarks>
public readonly record struct LeaseDuration
{
    /// <summary>The shortest duration.</summary>
    public static readonly TimeSpan MinValue = TimeSpan.FromMilliseconds(1);

    /// <summary>The longest duration.</summary>
    public static readonly TimeSpan MaxValue = TimeSpan.FromDays(1);

    private LeaseDuration(TimeSpan value) => Value = value;

    /// <summary>The duration; zero for <c>default</c>.</summary>
    public TimeSpan Value { get; }

    /// <summary>Whether this is <c>default</c>.</summary>
    public bool IsDefault => Value == TimeSpan.Zero;

    /// <summary>Creates a duration.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it is out of range.</exception>
    public static LeaseDuration FromTimeSpan(TimeSpan value) =>
        value >= MinValue && value <= MaxValue
            ? new LeaseDuration(value)
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"A lease must last 1 millisecond to 1 day, not {value.ToString("c", CultureInfo.InvariantCulture)}.",
                "seconds"
            );

    /// <summary>Creates a duration from the seconds of a request.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it is out of range.</exception>
    public static LeaseDuration FromSeconds(int seconds) => FromTimeSpan(TimeSpan.FromSeconds(seconds));

    /// <summary>Creates a duration from the seconds of a request; null gives <c>default</c>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it is out of range.</exception>
    public static LeaseDuration FromSeconds(int? seconds) => seconds is { } value ? FromSeconds(value) : default;

    /// <inheritdoc/>
    public override string ToString() => IsDefault ? "default" : Value.ToString("c", CultureInfo.InvariantCulture);

    /// <summary>Converts as <see cref="FromTimeSpan"/> does.</summary>
    public static implicit operator LeaseDuration(TimeSpan value) => FromTimeSpan(value);
}
