using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Accounts;

/// <summary>One user who can sign in with a password.</summary>
/// <param name="UserId">Stable id, never reused.</param>
/// <param name="Username">What is typed at sign-in; unique, compared without case.</param>
/// <param name="FullName">The name shown to others.</param>
/// <param name="PasswordHash">Made by the password hasher; never the password.</param>
/// <param name="Roles">Roles of the user.</param>
public sealed record Account(string UserId, string Username, string FullName, string PasswordHash, IReadOnlyList<string> Roles)
{
    /// <summary>The form in which user names are compared and ordered.</summary>
    public static string NameKey(string username) => username.ToUpperInvariant();

    /// <summary>The error for a user name that another account has.</summary>
    public static DunlinException NameTaken(string username) =>
        new(ErrorCode.Conflict, $"The user name '{username}' is taken.", "username");
}

/// <summary>One sign-in of one user, until sign-out or expiry.</summary>
/// <param name="SessionId">Stable id of the session; may be shown to its user and to administrators.</param>
/// <param name="UserId">The user.</param>
/// <param name="SecretHash">SHA-256 of the cookie's secret, so that a copy of the database opens no session.</param>
/// <param name="CreatedAt">When it began.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="Description">The browser it was opened from, shortened.</param>
public sealed record Session(string SessionId, string UserId, string SecretHash, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string Description);

/// <summary>Accounts, kept in the store. Safe for concurrent use.</summary>
public interface IAccountStore
{
    /// <summary>The account with this user name, without regard to case.</summary>
    ValueTask<Account?> FindByNameAsync(string username, CancellationToken cancellationToken);

    /// <summary>The account with this id.</summary>
    ValueTask<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Inserts the account, or replaces the one with its id. A store that several nodes share announces a replacement with
    /// it (<see cref="AccessEvents.RightsChangedAsync"/>): the others remember accounts for a while.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: another account has the user name.</exception>
    ValueTask SaveAsync(Account account, CancellationToken cancellationToken);

    /// <summary>All accounts, by user name.</summary>
    ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancellationToken);
}

/// <summary>Sign-in sessions, kept in the store so that they outlive a restart. Safe for concurrent use.</summary>
public interface ISessionStore
{
    /// <summary>Keeps a new session.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: a session has this id.</exception>
    ValueTask AddAsync(Session session, CancellationToken cancellationToken);

    /// <summary>The session, unless it was removed. Expired ones may still be found: the caller looks at the time.</summary>
    ValueTask<Session?> FindAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Removes a session; no error if it is gone already. A store that several nodes share announces the end with it
    /// (<see cref="AccessEvents.SessionEndedAsync"/>): a node that dies right after it would leave the session's streams open on the
    /// others.</summary>
    ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken);

    /// <summary>All sessions that have not expired at this time, oldest first.</summary>
    ValueTask<IReadOnlyList<Session>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes sessions that expired before this time.</summary>
    ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
