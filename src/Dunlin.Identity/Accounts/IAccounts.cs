using Dunlin.Accounts;
using Dunlin.Diagnostics;

namespace Dunlin.Identity;

/// <summary>A user to be created.</summary>
/// <param name="Username">What is typed at sign-in: 1 to 100 characters, unique without regard to case.</param>
/// <param name="Password">The password; kept as a hash only.</param>
/// <param name="FullName">The name shown to others: 1 to 100 characters.</param>
/// <param name="Roles">Roles of the user.</param>
public sealed record NewAccount(string Username, string Password, string FullName, IReadOnlyList<string> Roles)
{
    /// <summary>The stable id, never reused; null has one made.</summary>
    public string? UserId { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"NewAccount {{ Username = {Username} }}"; // not the password
}

/// <summary>
/// Password accounts, for applications and hosts that create and change users. Asks no permission: the caller of these
/// methods has decided. Safe for concurrent use.
/// </summary>
public interface IAccounts
{
    /// <summary>Creates a user.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/>: the user name is taken;
    /// <see cref="ErrorCode.InvalidField"/> naming what is empty, too long or too short.</exception>
    ValueTask<AccountRow> CreateAsync(NewAccount account, CancellationToken cancellationToken);

    /// <summary>The account that user name and password open; null if they open none. Takes equally long for a name that
    /// does not exist. Does not slow down guessing: signing in over HTTP does.</summary>
    ValueTask<AccountRow?> CheckPasswordAsync(string username, string password, CancellationToken cancellationToken);

    /// <summary>Replaces the password and ends all sessions of the user.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>, <see cref="ErrorCode.InvalidField"/>.</exception>
    ValueTask SetPasswordAsync(string userId, string password, CancellationToken cancellationToken);

    /// <summary>Replaces the roles; open streams are authorised again.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>.</exception>
    ValueTask SetRolesAsync(string userId, IReadOnlyList<string> roles, CancellationToken cancellationToken);

    /// <summary>Ends all sessions of the user: their tokens, cookies and streams.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="reason">A short word for the log and the client, such as <c>locked</c>.</param>
    /// <param name="cancellationToken">Stops between two sessions.</param>
    ValueTask EndSessionsAsync(string userId, string reason, CancellationToken cancellationToken);
}
