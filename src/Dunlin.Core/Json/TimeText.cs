using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>The text is not a valid time. The message is the end of a sentence about the field.</summary>
internal sealed class TimeTextException(string message) : FormatException(message);

/// <summary>Parses times of requests: ISO 8601 with date, time and offset, such as <c>2026-03-01T09:30:00+01:00</c>. Thread-safe.</summary>
/// <remarks>
/// RFC 3339, section 5.6, and basic offsets of ISO 8601: <c>Z</c>, <c>+01:00</c>, <c>+0100</c> and <c>+01</c>. Seconds and fractions are
/// optional; digits below 100 ns are truncated. A time without an offset is rejected: it would be a different instant on every server.
/// </remarks>
public static partial class TimeText
{
    /// <summary>The first and last year accepted: 1900 and 2200.</summary>
    /// <remarks>
    /// Other years are mistakes. Instants near the limits of <see cref="DateTimeOffset"/> cannot be converted to other offsets.
    /// </remarks>
    public const int FirstYear = 1900,
        LastYear = 2200;

    private const int MaxFraction = 7; // ticks

    /// <summary>Parses the time of a body member.</summary>
    /// <param name="text">The text.</param>
    /// <param name="field">The name of the member, for the error.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is not a valid time; the message gives the
    /// reason.</exception>
    public static DateTimeOffset Parse(string? text, string field) => Read(text, field, isQuery: false);

    /// <summary>Parses the time of a query parameter. Reads a space before the offset as a plus that was not percent-encoded.</summary>
    /// <param name="text">The text.</param>
    /// <param name="field">The name of the parameter, for the error.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is not a valid time; the message gives the
    /// reason.</exception>
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

/// <summary>Deserialises times with <see cref="TimeText"/>. Thread-safe.</summary>
/// <remarks>System.Text.Json would accept a time without an offset and assume the time zone of the server.</remarks>
internal sealed class TimeTextConverter : JsonConverter<DateTimeOffset>
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
