using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus;

/// <summary>Times on the wire: ISO 8601 with an offset, always. In the database: milliseconds since 1970 UTC.</summary>
internal static partial class WireTime
{
    private const int FirstYear = 1900;
    private const int LastYear = 2200;

    public static DateTimeOffset Of(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>The instant, with the offset that it was given with.</summary>
    public static DateTimeOffset Of(long milliseconds, long offsetMinutes) => Of(milliseconds).ToOffset(TimeSpan.FromMinutes(offsetMinutes));

    /// <summary>Reads a time of a request.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: no time, no offset, or out of range.</exception>
    public static DateTimeOffset Parse(string? text, string field)
    {
        if (text is null || !Form().IsMatch(text))
        {
            var why = text is not null && WithoutZone().IsMatch(text) ? "it has no zone" : "it is no date and time";
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must be ISO 8601 with an offset, like 2026-03-01T09:30:00+01:00 or ...Z; {why}.", field);
        }
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' is {text}, a day or a time of day that does not exist.", field);
        return time.Year is >= FirstYear and <= LastYear
            ? time
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' is not a time between {FirstYear} and {LastYear}.", field);
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Form();

    [GeneratedRegex(@"^(\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?|\d\d:\d\d(:\d\d)?)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex WithoutZone();
}
