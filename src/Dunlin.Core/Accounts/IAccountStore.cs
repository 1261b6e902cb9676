using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Accounts;

/// <summary>One user who can sign in with a password.</summary>
/// <param name="UserId">Stable id, never reused.</param>
/// <param name="Username">What is typed at sign-in; unique, compared without case.</param>
/// <param name="FullName">The name shown to others.</param>
/// <param name="PasswordHash">Made by the password hasher; never the password.</param>
/// <param name="Roles">Roles of the user.</param>
public sealed record AccountRow(string UserId, string Username, string FullName, string PasswordHash, IReadOnlyList<string> Roles)
{
    /// <summary>A random text that changes with the password and whenever all sessions are ended. A session of another stamp opens
    /// nothing. Empty for accounts that version 0.1.0 created, until it changes.</summary>
    public string SecurityStamp { get; init; } = "";

    /// <summary>The number of times the account was saved. <see cref="IAccountStore.SaveAsync"/> compares it: 0 only inserts, a
    /// greater number only replaces that version, and null (the default) replaces any.</summary>
    public long? Version { get; init; }

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
public sealed record SessionRow(
    string SessionId,
    string UserId,
    string SecretHash,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    string Description
)
{
    /// <summary>The <see cref="AccountRow.SecurityStamp"/> of the user when the session began.</summary>
    public string SecurityStamp { get; init; } = "";
}

/// <summary>Failed sign-ins of one account, or of one user name that no account has.</summary>
/// <param name="Count">The number of failures, attempts under way included.</param>
/// <param name="LastAt">When the last one began.</param>
/// <param name="LockedUntil">Attempts before this time are refused.</param>
/// <param name="HasAccount">Whether there is an account; the rows of others give way when there are too many.</param>
public sealed record SignInFailures(int Count, DateTimeOffset LastAt, DateTimeOffset LockedUntil, bool HasAccount)
{
    /// <summary>No failures: what a store answers where it has no row.</summary>
    public static SignInFailures None { get; } = new(0, DateTimeOffset.MinValue, DateTimeOffset.MinValue, HasAccount: false);
}

/// <summary>Accounts, kept in the store. Safe for concurrent use.</summary>
public interface IAccountStore
{
    /// <summary>The account with this user name, without regard to case.</summary>
    ValueTask<AccountRow?> FindByNameAsync(string username, CancellationToken cancellationToken);

    /// <summary>The account with this id.</summary>
    ValueTask<AccountRow?> FindByIdAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Inserts the account, or replaces the one with its id, and adds one to its version. A store that several nodes share
    /// announces a replacement with it (<see cref="AccessEvents.RightsChangedAsync"/>): the others remember accounts for a while.
    /// Failed sign-ins stay as they are.</summary>
    /// <returns>False where nothing was saved because the stored version is not <see cref="AccountRow.Version"/>.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: another account has the user name.</exception>
    ValueTask<bool> SaveAsync(AccountRow account, CancellationToken cancellationToken);

    /// <summary>All accounts, by user name.</summary>
    ValueTask<IReadOnlyList<AccountRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The failed sign-ins of a subject; <see cref="SignInFailures.None"/> where there are none.</summary>
    /// <param name="subject">A text without NUL that stands for an account, or for a user name that no account has.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken);

    /// <summary>Replaces the failed sign-ins of a subject if they are still the expected ones: compare and swap, over all nodes.</summary>
    /// <returns>Whether they were replaced. After false read them again and repeat.</returns>
    ValueTask<bool> TryReplaceFailuresAsync(
        string subject,
        SignInFailures expected,
        SignInFailures next,
        CancellationToken cancellationToken
    );

    /// <summary>Removes the failed sign-ins of a subject; no error if there are none.</summary>
    ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken);

    /// <summary>Removes failures whose last attempt and whose lock both lie before a time. Of subjects without an account it then keeps
    /// only the latest.</summary>
    /// <param name="before">The time.</param>
    /// <param name="maxWithoutAccount">How many subjects without an account stay at most.</param>
    /// <param name="cancellationToken">Stops the removal.</param>
    ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken);
}

/// <summary>Sign-in sessions, kept in the store so that they outlive a restart. Safe for concurrent use.</summary>
public interface ISessionStore
{
    /// <summary>Keeps a new session.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: a session has this id.</exception>
    ValueTask AddAsync(SessionRow session, CancellationToken cancellationToken);

    /// <summary>The session, unless it was removed. Expired ones may still be found: the caller looks at the time.</summary>
    ValueTask<SessionRow?> FindAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Removes a session; no error if it is gone already. A store that several nodes share announces the end with it
    /// (<see cref="AccessEvents.SessionEndedAsync"/>): a node that dies right after it would leave the session's streams open on the
    /// others.</summary>
    ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken);

    /// <summary>All sessions that have not expired at this time, oldest first.</summary>
    ValueTask<IReadOnlyList<SessionRow>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes sessions that expired before this time.</summary>
    ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
