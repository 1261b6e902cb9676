using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>The cause of an event. Each part may be null.</summary>
/// <remarks>
/// The journal stores the origin with the event, for exclusion of a client's own events (live and on replay) and for audits. It is not sent
/// to clients, except by a wire format that writes it.
/// </remarks>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">The sign-in session of that user.</param>
/// <param name="ConnectionId">The event-stream connection of the page that made the request.</param>
/// <param name="DeviceId">The browser or device. Several connections may share it.</param>
public sealed record EventOrigin(string? UserId = null, string? SessionId = null, string? ConnectionId = null, string? DeviceId = null);

/// <summary>Creates event origins.</summary>
public static class EventOriginExtensions
{
    /// <summary>Returns the caller as the origin of an event.</summary>
    /// <param name="caller">The caller.</param>
    public static EventOrigin AsOrigin(this Caller caller) => new(caller.UserId, caller.SessionId, caller.ConnectionId, caller.DeviceId);
}
