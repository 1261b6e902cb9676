using Dunlin.Accounts;

namespace Dunlin.Identity;

/// <summary>A user with a password account, as applications see it: without the password hash. Immutable.</summary>
/// <param name="UserId">The stable id, never reused.</param>
/// <param name="Username">The name that the user types at sign-in; unique without regard to case.</param>
/// <param name="FullName">The name shown to others.</param>
/// <param name="Roles">The roles of the user.</param>
public sealed record UserAccount(string UserId, string Username, string FullName, IReadOnlyList<string> Roles)
{
    /// <summary>Returns the key under which a user name is unique: names with equal keys are the same user.</summary>
    /// <param name="username">A user name in any case.</param>
    public static string NameKey(string username) => AccountRow.NameKey(username);

    internal static UserAccount Of(AccountRow row) => new(row.UserId, row.Username, row.FullName, row.Roles);
}
