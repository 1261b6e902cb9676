using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Dunlin.Scheduling;

/// <summary>Limits an option of type <see cref="TimeSpan"/>. Null is valid. Immutable.</summary>
/// <remarks>
/// <see cref="RangeAttribute"/> converts its limits with a <c>TypeConverter</c>, which it finds by reflection. Native AOT has none.
/// </remarks>
/// <param name="minimum">The smallest value, such as <c>00:00:01</c>.</param>
/// <param name="maximum">The largest value, such as <c>1.00:00:00</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TimeSpanRangeAttribute(string minimum, string maximum) : ValidationAttribute
{
    /// <summary>Gets the smallest value.</summary>
    public TimeSpan Minimum { get; } = TimeSpan.Parse(minimum, CultureInfo.InvariantCulture);

    /// <summary>Gets the largest value.</summary>
    public TimeSpan Maximum { get; } = TimeSpan.Parse(maximum, CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override bool IsValid(object? value) => value is null || (value is TimeSpan time && time >= Minimum && time <= Maximum);

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) => $"The field {name} must be between {Minimum:c} and {Maximum:c}.";
}
