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
    // The user is compared as well: ids of connections and devices are no secrets, and nobody may hide an event from
    // another by naming the other's connection as the origin.
    public static bool Excludes(this OriginExclusion exclusion, EventOrigin? origin, string connectionId, Caller caller) =>
        origin is not null
        && string.Equals(origin.UserId, caller.UserId, StringComparison.Ordinal)
        && exclusion switch
        {
            OriginExclusion.Connection => string.Equals(origin.ConnectionId, connectionId, StringComparison.Ordinal),
            OriginExclusion.Device => origin.DeviceId is not null
                && string.Equals(origin.DeviceId, caller.DeviceId, StringComparison.Ordinal),
            OriginExclusion.Session => origin.SessionId is not null
                && string.Equals(origin.SessionId, caller.SessionId, StringComparison.Ordinal),
            _ => false,
        };
}
