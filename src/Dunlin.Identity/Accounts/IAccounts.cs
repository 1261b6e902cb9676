using Dunlin.Diagnostics;

namespace Dunlin.Identity;

/// <summary>Describes a user to create. Immutable.</summary>
/// <param name="Username">The name that the user types at sign-in: 1 to 100 characters, unique regardless of case.</param>
/// <param name="Password">The password. The store keeps its hash only.</param>
/// <param name="FullName">The display name: 1 to 100 characters.</param>
/// <param name="Roles">The roles of the user.</param>
public sealed record NewAccount(string Username, string Password, string FullName, IReadOnlyList<string> Roles)
{
    /// <summary>Gets the stable id, which is never reused: 1 to 100 characters. Default: null, which generates one.</summary>
    public string? UserId { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"NewAccount {{ Username = {Username} }}"; // omits the password
}

/// <summary>Creates and changes password accounts. Thread-safe.</summary>
/// <remarks>These methods check no permission: callers must do that.</remarks>
public interface IAccounts
{
    /// <summary>Creates a user.</summary>
    /// <param name="account">The user.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The stored account.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: the user name or the user id is taken.
    /// <see cref="ErrorCode.InvalidField"/>: a field is empty, too long or too short; the error names it.</exception>
    ValueTask<UserAccount> CreateAsync(NewAccount account, CancellationToken cancellationToken);

    /// <summary>Returns the account of a user name and password, or null if they do not match an account.</summary>
    /// <param name="username">The user name.</param>
    /// <param name="password">The password.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <remarks>The call takes equally long for a user name without account. It does not slow down password guessing; sign-in over HTTP
    /// does.</remarks>
    ValueTask<UserAccount?> CheckPasswordAsync(string username, string password, CancellationToken cancellationToken);

    /// <summary>Returns the account with this id, or null.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<UserAccount?> FindAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Returns the account with this user name, compared without case, or null.</summary>
    /// <param name="username">The user name.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<UserAccount?> FindByNameAsync(string username, CancellationToken cancellationToken);

    /// <summary>Returns all accounts.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<IReadOnlyList<UserAccount>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Replaces the password and ends all sessions of the user.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="password">The new password.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: the user does not exist. <see cref="ErrorCode.InvalidField"/>:
    /// the password is too short or too long.</exception>
    ValueTask SetPasswordAsync(string userId, string password, CancellationToken cancellationToken);

    /// <summary>Replaces the roles and authorizes the open streams of the user again.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="roles">The new roles.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: the user does not exist.</exception>
    ValueTask SetRolesAsync(string userId, IReadOnlyList<string> roles, CancellationToken cancellationToken);

    /// <summary>Ends all sessions of the user, with their tokens, cookies and streams.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="reason">A short word for the log and the client, such as <c>locked</c>.</param>
    /// <param name="cancellationToken">Cancels the call between two sessions.</param>
    ValueTask EndSessionsAsync(string userId, string reason, CancellationToken cancellationToken);
}
