namespace Dunlin.Identity;

/// <summary>Lists and ends the sessions of all users. Thread-safe.</summary>
/// <remarks>These methods check no permission: callers must do that.</remarks>
public interface ISessions
{
    /// <summary>Returns all sessions that have not expired, oldest first.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<IReadOnlyList<SignInSession>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Ends a session: its tokens and its cookie become invalid, its streams close, and its leases are released and
    /// announced.</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="reason">A short word for the log, such as <c>ended_by_administrator</c>.</param>
    /// <param name="lastFrame">A frame that the session's open streams receive before their goodbye. Empty for none.</param>
    /// <param name="cancellationToken">Cancels the call before the session has ended.</param>
    /// <returns>False if the session does not exist or has expired.</returns>
    ValueTask<bool> EndAsync(string sessionId, string reason, ReadOnlyMemory<byte> lastFrame, CancellationToken cancellationToken);
}
