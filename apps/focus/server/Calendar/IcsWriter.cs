using Ical.Net.DataTypes;
using Ical.Net.Serialization;
using IcalCalendar = Ical.Net.Calendar;
using IcalEvent = Ical.Net.CalendarComponents.CalendarEvent;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>Writes a calendar as iCalendar (RFC 5545).</summary>
internal static class IcsWriter
{
    /// <summary>Ends the UID of an exported entry, so that an import recognises it.</summary>
    public const string UidSuffix = "@focus.dunlin";

    /// <param name="entries">Single entries, series, and changed occurrences.</param>
    /// <param name="now">The time of the export.</param>
    public static string Write(IReadOnlyList<CalendarEvent> entries, DateTimeOffset now)
    {
        var calendar = new IcalCalendar { ProductId = "-//Dunlin//Focus//EN" };
        var series = entries.Where(entry => entry.IsSeries).ToDictionary(entry => entry.Id, StringComparer.Ordinal);
        foreach (var zone in series.Values.Select(entry => entry.TimeZone).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            if (zone != CalDateTime.UtcTzId)
                calendar.AddTimeZone(zone);
        }
        foreach (var entry in entries)
            calendar.Events.Add(Event(entry, entry.SeriesId is { } id ? series.GetValueOrDefault(id) : null, now));
        return new CalendarSerializer().SerializeToString(calendar) ?? "";
    }

    private static IcalEvent Event(CalendarEvent entry, CalendarEvent? series, DateTimeOffset now)
    {
        var zone = series is null ? entry : entry with { TimeZone = series.TimeZone };
        var written = new IcalEvent
        {
            Uid = (series?.Id ?? entry.Id) + UidSuffix,
            DtStamp = new CalDateTime(now.UtcDateTime, CalDateTime.UtcTzId),
            Summary = entry.Title,
            Description = entry.Notes.Length == 0 ? null : entry.Notes,
            DtStart = Recurrence.TimeOf(zone, entry.Start),
            DtEnd = Recurrence.TimeOf(zone, entry.End),
        };
        if (entry.Color.Length > 0)
            written.AddProperty("COLOR", entry.Color);
        if (series is not null && entry.OriginalStart is { } original)
            written.RecurrenceIdentifier = new RecurrenceIdentifier(Recurrence.TimeOf(series, original));
        if (!entry.IsSeries)
            return written;
        written.RecurrenceRule = new RecurrencePattern(entry.Recurrence!);
        foreach (var excluded in entry.ExcludedStarts)
            written.ExceptionDates.Add(Recurrence.TimeOf(entry, WireTime.Of(excluded)));
        return written;
    }
}
