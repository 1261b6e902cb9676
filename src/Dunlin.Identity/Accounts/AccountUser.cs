using System.Security.Cryptography;
using System.Text;
using Dunlin.Accounts;

namespace Dunlin.Identity;

/// <summary>Represents an account that ASP.NET Core Identity changes, for <c>UserManager&lt;AccountUser></c>. Not thread-safe.</summary>
/// <remarks>The store holds accounts as immutable <see cref="AccountRow"/> objects.</remarks>
public sealed class AccountUser
{
    /// <summary>Creates a user that is not stored yet.</summary>
    /// <param name="id">The stable id, never reused: 1 to 100 characters.</param>
    /// <param name="userName">The name that the user types at sign-in: 1 to 100 characters, unique regardless of case.</param>
    /// <param name="fullName">The display name: 1 to 100 characters.</param>
    public AccountUser(string id, string userName, string fullName)
    {
        (Id, UserName, FullName) = (id, userName, fullName);
        Subject = $"user:{id}";
    }

    internal AccountUser(AccountRow account)
        : this(account.UserId, account.Username, account.FullName)
    {
        PasswordHash = account.PasswordHash;
        SecurityStamp = account.SecurityStamp;
        Roles = [.. account.Roles];
        Stored = account;
    }

    /// <summary>Gets the stable id, which is never reused.</summary>
    public string Id { get; }

    /// <summary>Gets or sets the name that the user types at sign-in.</summary>
    public string UserName { get; set; }

    /// <summary>Gets or sets the display name.</summary>
    public string FullName { get; set; }

    /// <summary>Gets or sets the output of the password hasher, or null if the user has no password.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>Gets or sets the roles. Role names are case-sensitive.</summary>
    public IList<string> Roles { get; set; } = [];

    /// <summary>Gets or sets the security stamp. It changes with the password and when all sessions end. Sessions with another stamp are
    /// invalid.</summary>
    public string SecurityStamp { get; set; } = "";

    /// <summary>Gets or sets the stored account. Null for a new user and for a user name without account.</summary>
    internal AccountRow? Stored { get; set; }

    /// <summary>Gets or sets the reason for the end of the sessions when a changed stamp is stored.</summary>
    internal string EndReason { get; set; } = "security_stamp_changed";

    /// <summary>Gets the key under which the store counts failed sign-ins.</summary>
    internal string Subject { get; private init; }

    /// <summary>Returns a substitute for a user name without account, so that sign-in takes the same steps for it. Its failures are stored
    /// under a hash, because people type passwords into the field for the name.</summary>
    internal static AccountUser Unknown(string userName) =>
        new("", userName, "")
        {
            Subject = $"name:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AccountRow.NameKey(userName))))}",
        };

    internal AccountRow ToAccount() =>
        new(Id, UserName, FullName, PasswordHash ?? "", [.. Roles]) { SecurityStamp = SecurityStamp, Version = Stored?.Version ?? 0 };
}
