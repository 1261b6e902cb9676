namespace Dunlin.Journal;

/// <summary>
/// The event types that only the engine may use. Control frames (<c>dunlin.hello</c> and others) and the engine's own events
/// (<c>lease.granted</c>, <c>presence.joined</c> and others) have names; an event of anybody else under such a name would be
/// obeyed by readers. <c>error</c> and <c>open</c> are the events by which an EventSource tells of its own connection.
/// <c>message</c> is not reserved: it is what <c>onmessage</c> receives. Comparison is ordinal, as in an EventSource.
/// </summary>
public static class ReservedTypes
{
    private const string ControlPrefix = "dunlin.";
    private const string PresencePrefix = "presence.";
    private const string LeasePrefix = "lease.";

    /// <summary>The reserved set, in words, for documents and errors.</summary>
    public const string Description = "types that begin with 'dunlin.', 'lease.' or 'presence.', and 'error' and 'open'";

    /// <summary>Whether only the engine may append or deliver events of this type.</summary>
    public static bool Contains(string type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return IsStreamName(type)
            || type.StartsWith(LeasePrefix, StringComparison.Ordinal)
            || type.StartsWith(PresencePrefix, StringComparison.Ordinal);
    }

    /// <summary>Whether a frame of this name speaks of the stream itself, so that no event may have it.</summary>
    internal static bool IsStreamName(string name) => name is "error" or "open" || name.StartsWith(ControlPrefix, StringComparison.Ordinal);

    /// <summary>Whether an event was certainly not made by the engine of this version although its type says so. Journals of versions
    /// that did not reserve types may hold such events, and other nodes of such a version may send them.</summary>
    internal static bool IsForged(DunlinEvent entry) =>
        IsStreamName(entry.Type)
        || (
            entry.IsTransient
                ? entry.Type.StartsWith(LeasePrefix, StringComparison.Ordinal)
                : entry.Type.StartsWith(PresencePrefix, StringComparison.Ordinal)
        );
}
