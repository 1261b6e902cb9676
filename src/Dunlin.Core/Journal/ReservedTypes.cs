namespace Dunlin.Journal;

/// <summary>Defines the event types that only the engine may use.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Readers act on control frames (<c>dunlin.hello</c> and others) and engine events (<c>lease.granted</c>, <c>presence.joined</c> and
/// others). An event of an application with such a type could forge them.</item>
/// <item><c>error</c> and <c>open</c> are the events that an EventSource dispatches about its own connection.</item>
/// <item><c>message</c> is not reserved: <c>onmessage</c> receives it.</item>
/// </list>
/// Comparison is ordinal, as in an EventSource.
/// </remarks>
internal static class ReservedTypes
{
    private const string ControlPrefix = "dunlin.";
    private const string PresencePrefix = "presence.";
    private const string LeasePrefix = "lease.";
    private const string DurableStreamPrefix = "stream.";

    /// <summary>The reserved types in words, for documents and error texts.</summary>
    public const string Description = "types that begin with 'dunlin.', 'lease.', 'presence.' or 'stream.', and 'error' and 'open'";

    /// <summary>Returns whether only the engine may append or deliver events of this type.</summary>
    /// <param name="type">The event type.</param>
    public static bool Contains(string type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return IsStreamName(type)
            || type.StartsWith(LeasePrefix, StringComparison.Ordinal)
            || type.StartsWith(PresencePrefix, StringComparison.Ordinal)
            || type.StartsWith(DurableStreamPrefix, StringComparison.Ordinal);
    }

    /// <summary>Returns whether a name is reserved for frames about the stream itself. No event may have it.</summary>
    internal static bool IsStreamName(string name) => name is "error" or "open" || name.StartsWith(ControlPrefix, StringComparison.Ordinal);

    /// <summary>Returns whether an event has a reserved type but cannot come from the engine of this version.</summary>
    /// <remarks>Versions that did not reserve types may have stored such events, and nodes of such a version may send them.</remarks>
    internal static bool IsForged(DunlinEvent entry) =>
        IsStreamName(entry.Type)
        || (
            entry.IsTransient
                ? entry.Type.StartsWith(LeasePrefix, StringComparison.Ordinal)
                : entry.Type.StartsWith(PresencePrefix, StringComparison.Ordinal)
        );
}
