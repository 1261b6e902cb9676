using System.Globalization;
using Dunlin.Diagnostics;
using Ical.Net;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;
using NodaTime;
using IcalEvent = Ical.Net.CalendarComponents.CalendarEvent;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>Rules of RFC 5545 (RRULE): validation, occurrences, and the split of a series. Pure.</summary>
internal static class Recurrence
{
    private const int MaxLength = 300;
    private const int MaxCount = 1_000;
    private const int MaxInterval = 1_000;

    // Beyond it a rule counts as endless.
    private const int MaxYear = 9_000;
    private const string IdFormat = "yyyyMMdd'T'HHmmss'Z'";

    // A rule such as "30 February" has no occurrence, and its evaluation would not end.
    private static readonly EvaluationOptions Limits = new() { MaxUnmatchedIncrementsLimit = 20_000 };

    /// <summary>Returns the rule in its normal form.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: the rule is invalid, or repeats more often than daily.
    /// </exception>
    public static string Check(string text)
    {
        if (text.Length > MaxLength)
            throw Invalid($"must have at most {MaxLength} characters");
        RecurrencePattern rule;
        try
        {
            rule = new RecurrencePattern(text.StartsWith("RRULE:", StringComparison.OrdinalIgnoreCase) ? text[6..] : text);
        }
        catch (Exception error) when (error is ArgumentException or FormatException or OverflowException or InvalidOperationException)
        {
            throw Invalid("is not a recurrence rule of RFC 5545");
        }
        if (!text.Contains("FREQ=", StringComparison.OrdinalIgnoreCase))
            throw Invalid("must name FREQ");
        if (rule.Frequency < FrequencyType.Daily || rule.BySecond.Count > 0 || rule.ByMinute.Count > 0 || rule.ByHour.Count > 0)
            throw Invalid("must repeat by DAILY, WEEKLY, MONTHLY or YEARLY, without BYHOUR, BYMINUTE and BYSECOND");
        if (rule.Interval is < 1 or > MaxInterval)
            throw Invalid($"must have an INTERVAL of 1 to {MaxInterval}");
        if (rule.Count is < 1 or > MaxCount)
            throw Invalid($"must have a COUNT of 1 to {MaxCount}");
        if (rule is { Count: not null, Until: not null })
            throw Invalid("must not have both COUNT and UNTIL");
        return rule.ToString() ?? throw Invalid("is empty");
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: not a zone of the IANA time zone database.</exception>
    public static string CheckZone(string id) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(id) is not null
            ? id
            : throw new DunlinException(ErrorCode.InvalidField, "'timeZone' must be an IANA time zone, such as Europe/Berlin.", "timeZone");

    /// <summary>Returns the occurrences that overlap the interval, earliest first, without the deleted ones.</summary>
    public static IEnumerable<CalendarEvent> Expand(CalendarEvent series, DateTimeOffset from, DateTimeOffset to)
    {
        var length = series.End - series.Start;
        var excluded = series.ExcludedStarts.ToHashSet();
        return Starts(series, from - length)
            .TakeWhile(start => start < to)
            .Where(start => start + length > from && !excluded.Contains(start.ToUnixTimeMilliseconds()))
            .Select(start => OccurrenceAt(series, start));
    }

    /// <summary>Returns the occurrence with this original start, unless it was deleted.</summary>
    public static CalendarEvent? Find(CalendarEvent series, DateTimeOffset start) =>
        Expand(series, start, start.AddMilliseconds(1)).FirstOrDefault(occurrence => occurrence.Start == start);

    /// <summary>Returns the end of the last occurrence; null if the series has no end.</summary>
    public static DateTimeOffset? LastEnd(CalendarEvent series)
    {
        var rule = new RecurrencePattern(series.Recurrence!);
        if (rule is { Count: null, Until: null } or { Until.Year: > MaxYear })
            return null;
        var length = series.End - series.Start;
        if (rule.Until is { } until)
            return new DateTimeOffset(until.HasTime ? until.AsUtc : until.Date.ToDateTime(TimeOnly.MaxValue), TimeSpan.Zero).AddDays(1)
                + length;
        return Starts(series, series.Start).Select(start => start + length).DefaultIfEmpty(series.End).Last();
    }

    public static bool HasOccurrence(CalendarEvent series) => Starts(series, series.Start).Any();

    /// <summary>Returns the rule of the occurrences before a start.</summary>
    public static string RuleBefore(CalendarEvent series, DateTimeOffset split) =>
        new RecurrencePattern(series.Recurrence!)
        {
            Count = null,
            Until = series.IsAllDay
                ? new CalDateTime(DateOnly.FromDateTime(split.UtcDateTime).AddDays(-1))
                : new CalDateTime(split.UtcDateTime.AddSeconds(-1), CalDateTime.UtcTzId),
        }.ToString()!;

    /// <summary>Returns the rule of the occurrences from a start on. A count is reduced by those before.</summary>
    public static string RuleFrom(CalendarEvent series, string rule, DateTimeOffset split)
    {
        var rest = new RecurrencePattern(rule);
        if (rest.Count is { } count)
            rest.Count = Math.Max(1, count - Starts(series, series.Start).TakeWhile(start => start < split).Count());
        return rest.ToString()!;
    }

    /// <summary>Moves the end of a rule with its series, so that the series keeps its number of occurrences.</summary>
    public static string RuleShifted(string rule, TimeSpan shift)
    {
        var moved = new RecurrencePattern(rule);
        if (moved.Until is not { } until)
            return rule;
        moved.Until = until.HasTime
            ? new CalDateTime(until.AsUtc + shift, CalDateTime.UtcTzId)
            : new CalDateTime(until.Date.AddDays((int)Math.Round(shift.TotalDays)));
        return moved.ToString()!;
    }

    /// <summary>Returns the id of an occurrence, by which requests address it.</summary>
    public static string IdOf(string seriesId, DateTimeOffset start) =>
        $"{seriesId}_{start.UtcDateTime.ToString(IdFormat, CultureInfo.InvariantCulture)}";

    public static (string SeriesId, DateTimeOffset Start)? Parse(string id)
    {
        var at = id.LastIndexOf('_');
        return
            at > 0
            && DateTime.TryParseExact(
                id[(at + 1)..],
                IdFormat,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var start
            )
            ? (id[..at], new DateTimeOffset(start, TimeSpan.Zero))
            : null;
    }

    /// <summary>Returns the local time of an instant in the zone of a series; of an all-day series, the date.</summary>
    public static DateTime WallOf(CalendarEvent series, DateTimeOffset time) =>
        series.IsAllDay ? time.UtcDateTime : Instant.FromDateTimeOffset(time).InZone(ZoneOf(series)).ToDateTimeUnspecified();

    /// <summary>Returns the instant of a local time. A time that the clocks skip moves later by the skipped span.</summary>
    public static DateTimeOffset OfWall(CalendarEvent series, DateTime wall) =>
        series.IsAllDay
            ? new DateTimeOffset(DateTime.SpecifyKind(wall, DateTimeKind.Utc), TimeSpan.Zero)
            : ZoneOf(series).AtLeniently(LocalDateTime.FromDateTime(wall)).ToDateTimeOffset();

    private static CalendarEvent OccurrenceAt(CalendarEvent series, DateTimeOffset start) =>
        series with
        {
            Id = IdOf(series.Id, start),
            SeriesId = series.Id,
            OriginalStart = start,
            Start = start,
            End = start + (series.End - series.Start),
            Excluded = "",
        };

    private static IEnumerable<DateTimeOffset> Starts(CalendarEvent series, DateTimeOffset from)
    {
        var source = new IcalEvent { DtStart = TimeOf(series, series.Start), RecurrenceRule = new RecurrencePattern(series.Recurrence!) };
        var first = TimeOf(series, from < series.Start ? series.Start : from);
        using var occurrences = source.GetOccurrences(first, Limits).GetEnumerator();
        while (Next(occurrences))
        {
            var time = occurrences.Current.Period.StartTime;
            yield return time.HasTime
                ? Instant.FromDateTimeUtc(time.AsUtc).InZone(ZoneOf(series)).ToDateTimeOffset()
                : new DateTimeOffset(time.Date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
        }
    }

    private static bool Next(IEnumerator<Occurrence> occurrences)
    {
        try
        {
            return occurrences.MoveNext();
        }
        catch (EvaluationException)
        {
            // No further occurrence within the limits.
            return false;
        }
    }

    internal static CalDateTime TimeOf(CalendarEvent series, DateTimeOffset time) =>
        series.IsAllDay
            ? new CalDateTime(DateOnly.FromDateTime(time.UtcDateTime))
            : new CalDateTime(WallOf(series, time), ZoneOf(series).Id);

    private static DateTimeZone ZoneOf(CalendarEvent series) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(series.TimeZone ?? "UTC") ?? DateTimeZone.Utc;

    private static DunlinException Invalid(string why) => new(ErrorCode.InvalidField, $"'recurrence' {why}.", "recurrence");
}
