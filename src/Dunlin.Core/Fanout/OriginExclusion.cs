using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>The caller's own events that a connection excludes.</summary>
public enum OriginExclusion
{
    /// <summary>Excludes no events.</summary>
    None,

    /// <summary>Excludes events caused by this connection.</summary>
    Connection,

    /// <summary>Excludes events caused by this browser or device, in any tab.</summary>
    Device,

    /// <summary>Excludes events caused by this sign-in session.</summary>
    Session,
}

internal static class OriginExclusions
{
    // Compare the user as well: connection and device ids are not secret. Otherwise a user could hide an event from another
    // user by giving the other's connection as its origin.
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
