using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Topics;

/// <summary>Notifies listeners of ended sessions and changed rights. Thread-safe.</summary>
/// <remarks>
/// Listeners close or re-authorise open streams, release leases and drop cached sessions. Raise a change only after it has been stored.
/// <para>
/// Listeners run on the notifying thread, in the order of subscription. They must return quickly and must not block. An exception is logged
/// and does not affect the other listeners. Two concurrent changes may arrive in either order. A listener may still run while another
/// thread disposes its subscription.
/// </para>
/// <para>
/// Notifications reach this node at once and the other nodes of the store shortly afterwards, unless this node fails in between. For a
/// change inside a unit of work use <c>AccessEvents</c>, which has no such gap.
/// </para>
/// </remarks>
public sealed class AccessChanges
{
    private readonly Signal<EndedSession> _sessionEnds;
    private readonly Signal<string> _rightsChanges;
    private readonly Signal<bool> _everythingChanges;

    /// <summary>Creates an instance without listeners.</summary>
    /// <param name="logger">Logs exceptions of listeners; null disables logging.</param>
    public AccessChanges(ILogger<AccessChanges>? logger = null)
    {
        _sessionEnds = new("ended sessions", logger);
        _rightsChanges = new("changed rights", logger);
        _everythingChanges = new("changed access of all users", logger);
    }

    /// <summary>Announces that a session has ended and must no longer be accepted.</summary>
    /// <param name="userId">The user of the session.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="reason">A short word for the log and the client, such as <c>signed_out</c>.</param>
    public void SessionEnded(string userId, string sessionId, string reason) => SessionEnded(new EndedSession(userId, sessionId, reason));

    /// <summary>Announces that a session has ended and must no longer be accepted.</summary>
    /// <param name="ended">The session and the reason.</param>
    internal void SessionEnded(EndedSession ended) => _sessionEnds.Publish(ended);

    /// <summary>Announces that the rights of a user have changed: the access policies must be evaluated again.</summary>
    /// <param name="userId">The user.</param>
    public void RightsChanged(string userId) => _rightsChanges.Publish(userId);

    /// <summary>
    /// Announces that the access of any user may have changed. Caches are dropped; streams are closed, and the clients reconnect with their
    /// credentials.
    /// </summary>
    /// <remarks>
    /// For changes without details, such as accounts restored from a backup. Nodes also send it to each other when too many changes are
    /// queued.
    /// </remarks>
    public void EverythingChanged() => _everythingChanges.Publish(true);

    /// <summary>Subscribes to ended sessions.</summary>
    /// <param name="listener">Called for each ended session.</param>
    /// <returns>A subscription; dispose it to unsubscribe.</returns>
    internal IDisposable OnSessionEnded(Action<EndedSession> listener) => _sessionEnds.Subscribe(listener);

    /// <summary>Subscribes to changed rights.</summary>
    /// <param name="listener">Called with the user id for each change.</param>
    /// <returns>A subscription; dispose it to unsubscribe.</returns>
    public IDisposable OnRightsChanged(Action<string> listener) => _rightsChanges.Subscribe(listener);

    /// <summary>Subscribes to changes of the access of all users.</summary>
    /// <param name="listener">Called for each change.</param>
    /// <returns>A subscription; dispose it to unsubscribe.</returns>
    public IDisposable OnEverythingChanged(Action listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return _everythingChanges.Subscribe(_ => listener());
    }
}

/// <summary>An ended session.</summary>
/// <param name="UserId">The user of the session.</param>
/// <param name="SessionId">The session.</param>
/// <param name="Reason">A short word, such as <c>signed_out</c>.</param>
internal sealed record EndedSession(string UserId, string SessionId, string Reason)
{
    /// <summary>
    /// Gets a frame that all nodes send to the session's streams before <c>dunlin.goodbye</c>. At most a few KiB. Empty (the default) sends
    /// none.
    /// </summary>
    public ReadOnlyMemory<byte> LastFrame { get; init; }
}
