using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>Whose own events a connection does not want to hear.</summary>
public enum OriginExclusion
{
    /// <summary>Every event is delivered, one's own too.</summary>
    None,

    /// <summary>Not those that this connection caused.</summary>
    Connection,

    /// <summary>Not those that this browser or device caused, whatever its tab.</summary>
    Device,

    /// <summary>Not those that this sign-in session caused.</summary>
    Session,
}

internal static class OriginExclusions
{
    public static bool Excludes(this OriginExclusion exclusion, EventOrigin? origin, string connectionId, Caller caller) => exclusion switch
    {
        OriginExclusion.Connection => origin?.ConnectionId is { } id && string.Equals(id, connectionId, StringComparison.Ordinal),
        OriginExclusion.Device => origin?.DeviceId is { } id && string.Equals(id, caller.DeviceId, StringComparison.Ordinal)
            && string.Equals(origin.UserId, caller.UserId, StringComparison.Ordinal),
        OriginExclusion.Session => origin?.SessionId is { } id && string.Equals(id, caller.SessionId, StringComparison.Ordinal),
        _ => false,
    };
}
