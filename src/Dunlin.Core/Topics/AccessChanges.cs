using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Topics;

/// <summary>
/// Tells that somebody's access has shrunk or changed, so that what is open already follows at once: streams close or
/// are authorised again, leases are released, cached sessions are dropped.
/// <para>
/// Listeners run on the thread that tells, one after another in the order in which they subscribed, and none of them
/// begins before the change itself has been stored. A listener must be quick and must not block; it hands longer work
/// on. One that throws is logged and does not keep the others from hearing. All members are safe for concurrent use;
/// two changes told at the same time may be heard in either order, and a listener may still be running when its
/// subscription is disposed from another thread.
/// </para>
/// What is told here is heard on this node at once, and on the others that share the store a moment later: if this node dies in that
/// moment, they hear nothing. A change that is made in a unit of work is announced there (<c>AccessEvents</c>); this is
/// for those that are made elsewhere.
/// </summary>
public sealed class AccessChanges
{
    private readonly Signal<EndedSession> _sessionEnds;
    private readonly Signal<string> _rightsChanges;
    private readonly Signal<bool> _everythingChanges;

    /// <summary>Creates it without listeners.</summary>
    /// <param name="logger">Logs listeners that throw; null logs nothing.</param>
    public AccessChanges(ILogger<AccessChanges>? logger = null)
    {
        _sessionEnds = new("ended sessions", logger);
        _rightsChanges = new("changed rights", logger);
        _everythingChanges = new("changed access of all users", logger);
    }

    /// <summary>Tells that a session has ended and must not be honoured any more.</summary>
    /// <param name="userId">Whose session.</param>
    /// <param name="sessionId">Which one.</param>
    /// <param name="reason">A short word for the log and the client, such as <c>signed_out</c>.</param>
    public void SessionEnded(string userId, string sessionId, string reason) => SessionEnded(new EndedSession(userId, sessionId, reason));

    /// <summary>Tells that a session has ended and must not be honoured any more.</summary>
    internal void SessionEnded(EndedSession ended) => _sessionEnds.Publish(ended);

    /// <summary>Tells that what a user may do or see has changed: ask the policies again.</summary>
    public void RightsChanged(string userId) => _rightsChanges.Publish(userId);

    /// <summary>Tells that the access of anybody may have changed in any way: streams are closed and come back with their credentials,
    /// which are looked at afresh; caches are dropped. For a change that is not known in detail, such as accounts that were restored from
    /// a copy; also what the nodes tell one another when too many changes wait.</summary>
    public void EverythingChanged() => _everythingChanges.Publish(true);

    /// <summary>Calls <paramref name="listener"/> for every session that ends, until the result is disposed.</summary>
    internal IDisposable OnSessionEnded(Action<EndedSession> listener) => _sessionEnds.Subscribe(listener);

    /// <summary>Calls <paramref name="listener"/> with the user's id for every change of rights, until the result is disposed.</summary>
    public IDisposable OnRightsChanged(Action<string> listener) => _rightsChanges.Subscribe(listener);

    /// <summary>Calls <paramref name="listener"/> when everything may have changed, until the result is disposed.</summary>
    public IDisposable OnEverythingChanged(Action listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return _everythingChanges.Subscribe(_ => listener());
    }
}

/// <summary>A session that has ended.</summary>
/// <param name="UserId">Whose session.</param>
/// <param name="SessionId">Which one.</param>
/// <param name="Reason">A short word, such as <c>signed_out</c>.</param>
internal sealed record EndedSession(string UserId, string SessionId, string Reason)
{
    /// <summary>
    /// A frame for the session's open streams, at whatever node, sent before their goodbye; empty sends none. A few KiB at most.
    /// </summary>
    public ReadOnlyMemory<byte> LastFrame { get; init; }
}
