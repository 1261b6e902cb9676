namespace Dunlin.Apps.Focus;

/// <summary>Times in the database: milliseconds since 1970 UTC. Requests are read with <see cref="Dunlin.Json.TimeText"/>.</summary>
internal static class WireTime
{
    public static DateTimeOffset Of(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>The instant, with the offset that it was given with.</summary>
    public static DateTimeOffset Of(long milliseconds, long offsetMinutes) =>
        Of(milliseconds).ToOffset(TimeSpan.FromMinutes(offsetMinutes));
}
