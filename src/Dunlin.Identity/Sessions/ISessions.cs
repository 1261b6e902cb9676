using Dunlin.Accounts;

namespace Dunlin.Identity;

/// <summary>
/// The sign-ins of all users, for administration. Asks no permission: the caller of these methods has decided. Safe for
/// concurrent use.
/// </summary>
public interface ISessions
{
    /// <summary>All sessions that have not expired, oldest first.</summary>
    ValueTask<IReadOnlyList<SessionRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Ends one session: its tokens and its cookie open nothing any more, its streams close, its leases are released
    /// and announced.</summary>
    /// <param name="sessionId">Which one.</param>
    /// <param name="reason">A short word for the log, such as <c>ended_by_administrator</c>.</param>
    /// <param name="lastFrame">A frame for the session's open streams, sent before their goodbye; empty sends none.</param>
    /// <param name="cancellationToken">Stops before the session has ended.</param>
    /// <returns>Whether there was such a session.</returns>
    ValueTask<bool> EndAsync(string sessionId, string reason, ReadOnlyMemory<byte> lastFrame, CancellationToken cancellationToken);
}
