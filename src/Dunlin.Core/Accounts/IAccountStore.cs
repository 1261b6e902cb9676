using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Accounts;

/// <summary>A user account for password sign-in. Immutable.</summary>
/// <param name="UserId">The stable user id; never reused.</param>
/// <param name="Username">The name for sign-in: unique, compared case-insensitively.</param>
/// <param name="FullName">The display name.</param>
/// <param name="PasswordHash">The hash from the password hasher.</param>
/// <param name="Roles">The roles of the user.</param>
internal sealed record AccountRow(string UserId, string Username, string FullName, string PasswordHash, IReadOnlyList<string> Roles)
{
    /// <summary>
    /// Gets a random text that changes with the password and when all sessions are ended. Sessions with another stamp are not valid.
    /// </summary>
    /// <remarks>Empty for accounts of version 0.1.0 until it first changes.</remarks>
    public string SecurityStamp { get; init; } = "";

    /// <summary>Gets the number of times that the account was saved; null (the default) if unknown.</summary>
    /// <remarks>
    /// <see cref="IAccountStore.SaveAsync"/> compares it: 0 only inserts, a greater number never replaces another version, and null
    /// replaces any version.
    /// </remarks>
    public long? Version { get; init; }

    /// <summary>Returns the form of a user name that is compared and ordered.</summary>
    /// <param name="username">The user name.</param>
    public static string NameKey(string username) => username.ToUpperInvariant();

    /// <summary>Returns the error for a user name that another account has.</summary>
    /// <param name="username">The user name.</param>
    public static DunlinException NameTaken(string username) =>
        new(ErrorCode.Conflict, $"The user name '{username}' is taken. Choose another one.", "username");
}

/// <summary>A sign-in session of a user. Immutable.</summary>
/// <param name="SessionId">The stable session id. May be shown to its user and to administrators.</param>
/// <param name="UserId">The user.</param>
/// <param name="SecretHash">The SHA-256 of the cookie's secret, so that a copy of the database opens no session.</param>
/// <param name="CreatedAt">The start of the session (UTC).</param>
/// <param name="ExpiresAt">The expiry of the session (UTC).</param>
/// <param name="Description">A short description of the browser.</param>
internal sealed record SessionRow(
    string SessionId,
    string UserId,
    string SecretHash,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    string Description
)
{
    /// <summary>Gets the <see cref="AccountRow.SecurityStamp"/> of the user at the start of the session.</summary>
    public string SecurityStamp { get; init; } = "";
}

/// <summary>The failed sign-ins of an account, or of a user name without an account. Immutable.</summary>
/// <param name="Count">The number of failures, including attempts in progress.</param>
/// <param name="LastAt">The start of the last attempt (UTC).</param>
/// <param name="LockedUntil">The time before which attempts are rejected (UTC).</param>
/// <param name="HasAccount">Whether there is an account. Rows without an account are removed first when there are too many.</param>
internal sealed record SignInFailures(int Count, DateTimeOffset LastAt, DateTimeOffset LockedUntil, bool HasAccount)
{
    /// <summary>Gets the value without failures, which stores return if there is no row.</summary>
    public static SignInFailures None { get; } = new(0, DateTimeOffset.MinValue, DateTimeOffset.MinValue, HasAccount: false);
}

/// <summary>Stores accounts. Thread-safe.</summary>
internal interface IAccountStore
{
    /// <summary>Returns the account with this user name, compared case-insensitively; null if there is none.</summary>
    /// <param name="username">The user name.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<AccountRow?> FindByNameAsync(string username, CancellationToken cancellationToken);

    /// <summary>Returns the account with this id; null if there is none.</summary>
    /// <param name="userId">The user id.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<AccountRow?> FindByIdAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Inserts the account or replaces the one with its id, and increments its version. Failed sign-ins do not change.</summary>
    /// <remarks>
    /// A store that several nodes share must announce a replacement in the same transaction
    /// (<see cref="AccessEvents.RightsChangedAsync"/>): the other nodes cache accounts.
    /// </remarks>
    /// <param name="account">The account.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>False if nothing was saved because the stored version is not <see cref="AccountRow.Version"/>.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: another account has the user name.</exception>
    ValueTask<bool> SaveAsync(AccountRow account, CancellationToken cancellationToken);

    /// <summary>Returns all accounts, ordered by user name.</summary>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<IReadOnlyList<AccountRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Returns the failed sign-ins of a subject; <see cref="SignInFailures.None"/> if there are none.</summary>
    /// <param name="subject">A text without NUL that identifies an account, or a user name without an account.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken);

    /// <summary>Replaces the failed sign-ins of a subject if they equal the expected ones (compare and swap across all nodes).</summary>
    /// <param name="subject">The subject; see <see cref="FindFailuresAsync"/>.</param>
    /// <param name="expected">The expected failures.</param>
    /// <param name="next">The new failures.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>Whether they were replaced. If false, read them again and retry.</returns>
    ValueTask<bool> TryReplaceFailuresAsync(
        string subject,
        SignInFailures expected,
        SignInFailures next,
        CancellationToken cancellationToken
    );

    /// <summary>Removes the failed sign-ins of a subject. Does nothing if there are none.</summary>
    /// <param name="subject">The subject; see <see cref="FindFailuresAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken);

    /// <summary>
    /// Removes failures whose last attempt and lock are both before a time. Then limits the number of subjects without an account, removing
    /// the oldest.
    /// </summary>
    /// <param name="before">The time (UTC).</param>
    /// <param name="maxWithoutAccount">The maximum number of subjects without an account.</param>
    /// <param name="cancellationToken">Cancels the removal.</param>
    ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken);
}

/// <summary>Stores sign-in sessions, which survive a restart if the store does. Thread-safe.</summary>
internal interface ISessionStore
{
    /// <summary>Adds a session.</summary>
    /// <param name="session">The session.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: a session with this id exists.</exception>
    ValueTask AddAsync(SessionRow session, CancellationToken cancellationToken);

    /// <summary>Returns a session; null if it was removed. May return an expired session: the caller must check the time.</summary>
    /// <param name="sessionId">The session id.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<SessionRow?> FindAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Removes a session. Does nothing if it does not exist.</summary>
    /// <remarks>
    /// A store that several nodes share must announce the end in the same transaction (<see cref="AccessEvents.SessionEndedAsync"/>).
    /// Otherwise, if the node failed right after the removal, other nodes would keep the session's streams open.
    /// </remarks>
    /// <param name="ended">The session and the reason.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken);

    /// <summary>Returns all sessions that have not expired at a time, oldest first.</summary>
    /// <param name="now">The time (UTC).</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<IReadOnlyList<SessionRow>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes sessions that expired before a time.</summary>
    /// <param name="before">The time (UTC).</param>
    /// <param name="cancellationToken">Cancels the removal.</param>
    ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
