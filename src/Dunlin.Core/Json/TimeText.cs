using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>A text that is no time; the message is the end of a sentence about its field.</summary>
internal sealed class TimeTextException(string message) : FormatException(message);

/// <summary>
/// Reads times of requests: ISO 8601 with date, time and an offset, such as <c>2026-03-01T09:30:00+01:00</c>; <c>Z</c>, <c>+0100</c> and
/// <c>+01</c> are offsets too. Seconds and fractions may be left out; digits beyond 100 ns are cut off. A time without an offset is
/// refused: it would be a different instant on every server. Safe for concurrent use.
/// </summary>
/// <remarks>RFC 3339, section 5.6; basic offsets after ISO 8601.</remarks>
public static partial class TimeText
{
    /// <summary>The years that are taken: dates outside are mistakes, and instants near the ends of the calendar cannot be moved to
    /// another offset.</summary>
    public const int FirstYear = 1900,
        LastYear = 2200;

    private const int MaxFraction = 7; // ticks

    /// <summary>Reads the time of a member of a body.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, saying what is wrong.</exception>
    public static DateTimeOffset Parse(string? text, string field) => Read(text, field, isQuery: false);

    /// <summary>Reads the time of a query parameter. A plus that was not encoded has become a space there; it is read as a plus.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, saying what is wrong.</exception>
    public static DateTimeOffset ParseQuery(string? text, string field) => Read(text, field, isQuery: true);

    internal static DateTimeOffset Parse(string? text) => Parse(text, isQuery: false);

    private static DateTimeOffset Read(string? text, string field, bool isQuery)
    {
        try
        {
            return Parse(text, isQuery);
        }
        catch (TimeTextException exception)
        {
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' {exception.Message}", field, exception);
        }
    }

    private static DateTimeOffset Parse(string? text, bool isQuery)
    {
        if (text is null || Form().Match(text) is not { Success: true } match)
            throw Fault(text is null || !WithoutOffset().IsMatch(text) ? "it is not a date and time" : "it has no offset", isQuery);
        var sign = match.Groups["sign"].Value;
        if (sign == " " && !isQuery)
            throw Fault("the offset has no sign", isQuery);
        var fraction = match.Groups["fraction"].Value;
        var plain =
            $"{match.Groups["date"].Value}T{match.Groups["time"].Value}:{(match.Groups["second"].Success ? match.Groups["second"].Value : "00")}"
            + (fraction.Length > 0 ? "." + fraction[..Math.Min(fraction.Length, MaxFraction)] : "")
            + (
                sign.Length == 0
                    ? "Z"
                    : $"{(sign == "-" ? '-' : '+')}{match.Groups["hours"].Value}:{(match.Groups["minutes"].Success ? match.Groups["minutes"].Value : "00")}"
            );
        if (!DateTimeOffset.TryParse(plain, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            throw Fault("the date, the time of day or the offset does not exist", isQuery);
        return time.Year is >= FirstYear and <= LastYear
            ? time
            : throw new TimeTextException($"must be between the years {FirstYear} and {LastYear}.");
    }

    private static TimeTextException Fault(string why, bool isQuery) =>
        new(
            $"must be ISO 8601 with an offset, like 2026-03-01T09:30:00+01:00 or ...Z; {why}."
                + (isQuery ? " In a query, write the plus sign of the offset as %2B." : "")
        );

    [GeneratedRegex(
        @"^(?<date>\d{4}-\d\d-\d\d)[Tt](?<time>\d\d:\d\d)(:(?<second>\d\d)([.,](?<fraction>\d{1,18}))?)?([Zz]|(?<sign>[+\- ])(?<hours>\d\d)(:?(?<minutes>\d\d))?)\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1_000
    )]
    private static partial Regex Form();

    [GeneratedRegex(
        @"^(\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d[^+\-Zz]*)?|\d\d:\d\d(:\d\d)?)\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1_000
    )]
    private static partial Regex WithoutOffset();
}

/// <summary>Reads the times of bodies with <see cref="TimeText"/>: System.Text.Json takes a time without an offset as one of the
/// server's own zone.</summary>
public sealed class TimeTextConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return TimeText.Parse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null);
        }
        catch (TimeTextException exception)
        {
            throw new JsonException(null, exception); // the serialiser adds the path
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);
}
