using System.Globalization;
using System.Text.Json.Serialization;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus.Calendar;

/// <summary>
/// A calendar entry from <paramref name="Start"/> to <paramref name="End"/>, each with the offset that the client sent. <paramref
/// name="Version"/> is the journal offset of its last change.
/// </summary>
public sealed record CalendarEvent(string Id, string Title, string Notes, DateTimeOffset Start, DateTimeOffset End, long Version)
{
    /// <summary>Whether the entry lasts whole days: it then starts and ends at midnight UTC, and means these dates in every zone.</summary>
    public bool IsAllDay { get; init; }

    /// <summary>One of <see cref="EventColors"/>; empty for the default.</summary>
    public string Color { get; init; } = "";

    /// <summary>The task that the entry plans.</summary>
    public string? TaskId { get; init; }

    /// <summary>The rule (RRULE of RFC 5545) of a series and its occurrences.</summary>
    public string? Recurrence { get; init; }

    /// <summary>The IANA time zone in which the series repeats; null for all-day entries.</summary>
    public string? TimeZone { get; init; }

    /// <summary>The series of an occurrence.</summary>
    public string? SeriesId { get; init; }

    /// <summary>When the occurrence starts by the rule.</summary>
    public DateTimeOffset? OriginalStart { get; init; }

    /// <summary>Original starts of deleted occurrences of a series, in milliseconds since 1970 UTC, separated by spaces.</summary>
    [JsonIgnore]
    internal string Excluded { get; init; } = "";

    [JsonIgnore]
    internal IEnumerable<long> ExcludedStarts =>
        Excluded.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(each => long.Parse(each, CultureInfo.InvariantCulture));

    [JsonIgnore]
    internal bool IsSeries => Recurrence is not null && SeriesId is null;

    internal CalendarEvent WithExcluded(IEnumerable<long> starts) =>
        this with
        {
            Excluded = string.Join(' ', starts.Distinct().Order().Select(each => each.ToString(CultureInfo.InvariantCulture))),
        };
}

/// <summary>The colours of calendar entries. The page maps them to shades for light and dark.</summary>
public static class EventColors
{
    private static readonly string[] Names = ["", "red", "orange", "green", "blue", "purple", "gray"];

    internal static bool IsKnown(string color) => Names.Contains(color, StringComparer.Ordinal);

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an unknown colour.</exception>
    internal static string Check(string? color) =>
        IsKnown(color ?? "")
            ? color ?? ""
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'color' must be empty or one of{string.Join(", ", Names)[1..]}.",
                "color"
            );
}
