using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// Who caused an event; any part may be unknown. It is kept with the event, so that the originator is left out (or an
/// audit answered) on replay as well as live. It is never put on the wire unless a wire format does so by name.
/// </summary>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">The sign-in session of that user.</param>
/// <param name="ConnectionId">The event-stream connection of the page that made the request.</param>
/// <param name="DeviceId">The browser or device; several connections may share it.</param>
public sealed record EventOrigin(string? UserId = null, string? SessionId = null, string? ConnectionId = null, string? DeviceId = null);

/// <summary>Makes origins.</summary>
public static class EventOriginExtensions
{
    /// <summary>Returns the caller as the origin of an event.</summary>
    public static EventOrigin AsOrigin(this Caller caller) => new(caller.UserId, caller.SessionId, caller.ConnectionId, caller.DeviceId);
}
