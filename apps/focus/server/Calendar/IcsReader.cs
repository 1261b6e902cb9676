using System.Security.Cryptography;
using System.Text;
using Dunlin.Diagnostics;
using Ical.Net.DataTypes;
using NodaTime;
using IcalCalendar = Ical.Net.Calendar;
using IcalEvent = Ical.Net.CalendarComponents.CalendarEvent;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>An entry of a file that was not imported.</summary>
/// <param name="Title">Its title.</param>
/// <param name="Reason">Why.</param>
public sealed record SkippedEvent(string Title, string Reason);

/// <summary>
/// Reads entries from iCalendar (RFC 5545). The id of an entry follows from its UID, so that a repeated import changes the entry instead of
/// adding it again.
/// </summary>
internal sealed class IcsReader(DateTimeZone floatingZone)
{
    private readonly List<CalendarEvent> _entries = [];
    private readonly List<SkippedEvent> _skipped = [];

    /// <summary>Single entries and series, then changed occurrences.</summary>
    public IReadOnlyList<CalendarEvent> Entries => _entries;

    public IReadOnlyList<SkippedEvent> Skipped => _skipped;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is not iCalendar.</exception>
    public void Read(string ics)
    {
        var events = Load(ics);
        foreach (var each in events.Where(each => each.RecurrenceIdentifier is null))
            Take(each, () => Entry(each, null));
        foreach (var each in events.Where(each => each.RecurrenceIdentifier is not null))
            Take(each, () => Entry(each, _entries.Find(entry => entry.IsSeries && entry.Id == IdOf(each.Uid))));
    }

    private static List<IcalEvent> Load(string ics)
    {
        try
        {
            var found = IcalCalendar.Load<IcalCalendar>(ics);
            if (found.Count > 0)
                return [.. found.SelectMany(calendar => calendar.Events)];
        }
        catch (Exception error) when (IsOfInput(error))
        {
            throw new DunlinException(ErrorCode.InvalidField, $"'ics' is not an iCalendar file: {error.Message}", "ics");
        }
        throw new DunlinException(ErrorCode.InvalidField, "'ics' is not an iCalendar file: it has no VCALENDAR.", "ics");
    }

    // The parser reports invalid input by the exceptions of the conversions that it uses.
    private static bool IsOfInput(Exception error) =>
        error
            is ArgumentException
                or FormatException
                or OverflowException
                or InvalidOperationException
                or System.Runtime.Serialization.SerializationException
                or NullReferenceException
                or IndexOutOfRangeException;

    private void Take(IcalEvent source, Func<CalendarEvent> read)
    {
        try
        {
            _entries.Add(read());
        }
        catch (DunlinException error)
        {
            _skipped.Add(new SkippedEvent(TitleOf(source), error.Message));
        }
        catch (Exception error) when (IsOfInput(error))
        {
            _skipped.Add(new SkippedEvent(TitleOf(source), error.Message));
        }
    }

    private CalendarEvent Entry(IcalEvent source, CalendarEvent? series)
    {
        var start = source.DtStart ?? throw Invalid("it has no DTSTART");
        var isAllDay = !start.HasTime;
        var zone = isAllDay ? null : ZoneOf(start);
        var from = Time(start);
        var to = source.DtEnd is { } end
            ? Time(end)
            : from + (source.Duration is { } length ? length.ToTimeSpan(start) : Default(isAllDay));
        var entry = new CalendarEvent(IdOf(source.Uid), TitleOf(source), Shortened(source.Description ?? "", 4_000), from, to, 0)
        {
            IsAllDay = isAllDay,
            Color = ColorOf(source),
        };
        if (source.RecurrenceIdentifier is { } identifier)
        {
            var original = Time(identifier.StartTime);
            return series is null
                ? entry with
                {
                    Id = Recurrence.IdOf(entry.Id, original),
                }
                : entry with
                {
                    Id = Recurrence.IdOf(series.Id, original),
                    SeriesId = series.Id,
                    OriginalStart = original,
                };
        }
        if (source.RecurrenceRule is not { } rule)
            return entry;
        entry = entry with { Recurrence = Recurrence.Check(rule.ToString() ?? ""), TimeZone = zone?.Id };
        return entry.WithExcluded(source.ExceptionDates.GetAllDates().Select(date => ExcludedOf(entry, date)));
    }

    private long ExcludedOf(CalendarEvent entry, CalDateTime date) =>
        (
            date.HasTime || entry.IsAllDay
                ? Time(date)
                // Some programs exclude a timed occurrence by its date.
                : Recurrence.OfWall(entry, date.Date.ToDateTime(TimeOnly.FromDateTime(Recurrence.WallOf(entry, entry.Start))))
        ).ToUnixTimeMilliseconds();

    private DateTimeOffset Time(CalDateTime time)
    {
        if (!time.HasTime)
            return new DateTimeOffset(time.Date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
        // A time without a zone is local time of the user.
        return time.IsFloating
            ? floatingZone.AtLeniently(LocalDateTime.FromDateTime(time.Value)).ToDateTimeOffset()
            : Instant.FromDateTimeUtc(time.AsUtc).InZone(ZoneOf(time)).ToDateTimeOffset();
    }

    private DateTimeZone ZoneOf(CalDateTime time) =>
        time.TzId is null ? floatingZone
        : DateTimeZoneProviders.Tzdb.GetZoneOrNull(time.TzId) is { } zone ? zone
        : TzdbOf(time.TzId) ?? DateTimeZone.Utc;

    /// <summary>Windows programs write the names of Windows.</summary>
    private static DateTimeZone? TzdbOf(string windowsId) =>
        TimeZoneInfo.TryConvertWindowsIdToIanaId(windowsId, out var id) ? DateTimeZoneProviders.Tzdb.GetZoneOrNull(id) : null;

    private static TimeSpan Default(bool isAllDay) => isAllDay ? TimeSpan.FromDays(1) : TimeSpan.FromHours(1);

    private static string IdOf(string? uid)
    {
        if (uid is { Length: > 0 } && uid.EndsWith(IcsWriter.UidSuffix, StringComparison.Ordinal))
            return WireText.Id(uid[..^IcsWriter.UidSuffix.Length], "UID");
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(uid ?? throw Invalid("it has no UID")));
        return "ics-" + Convert.ToHexStringLower(hash)[..32];
    }

    private static string TitleOf(IcalEvent source)
    {
        var text = string.Concat((source.Summary ?? "").Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return text.Length == 0 ? "(no title)" : Shortened(text, 200);
    }

    private static string ColorOf(IcalEvent source)
    {
        var name = source.Properties["COLOR"]?.Value as string ?? "";
        return EventColors.IsKnown(name) ? name : "";
    }

    // Never between the two halves of a surrogate pair.
    private static string Shortened(string text, int max)
    {
        text = text.Replace("\0", "", StringComparison.Ordinal);
        if (text.Length <= max)
            return text;
        return text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];
    }

    private static DunlinException Invalid(string why) => new(ErrorCode.InvalidField, $"The event is invalid: {why}.", "ics");
}
