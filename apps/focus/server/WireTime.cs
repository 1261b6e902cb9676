namespace Dunlin.Apps.Focus;

/// <summary>
/// Converts times of the database, in milliseconds since 1970 UTC. Requests are parsed with <see cref="Dunlin.Json.TimeText"/>.
/// </summary>
internal static class WireTime
{
    public static DateTimeOffset Of(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>Returns the instant with its original offset.</summary>
    public static DateTimeOffset Of(long milliseconds, long offsetMinutes) =>
        Of(milliseconds).ToOffset(TimeSpan.FromMinutes(offsetMinutes));
}
