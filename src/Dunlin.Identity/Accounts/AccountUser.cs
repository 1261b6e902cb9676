using System.Security.Cryptography;
using System.Text;
using Dunlin.Accounts;

namespace Dunlin.Identity;

/// <summary>
/// An account as ASP.NET Core Identity changes it, for <c>UserManager&lt;AccountUser&gt;</c>. The stored form is the immutable
/// <see cref="AccountRow"/>. Not for concurrent use.
/// </summary>
public sealed class AccountUser
{
    /// <summary>A new user, not stored yet.</summary>
    /// <param name="id">The stable id, never reused: up to 100 characters.</param>
    /// <param name="userName">The name that the user types at sign-in: 1 to 100 characters, unique without regard to case.</param>
    /// <param name="fullName">The name shown to others: 1 to 100 characters.</param>
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

    /// <summary>The stable id, never reused.</summary>
    public string Id { get; }

    /// <summary>The name that the user types at sign-in.</summary>
    public string UserName { get; set; }

    /// <summary>The name shown to others.</summary>
    public string FullName { get; set; }

    /// <summary>Made by the password hasher; null while there is none.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>Roles, compared with regard to case.</summary>
    public IList<string> Roles { get; set; } = [];

    /// <summary>Changes with the password and whenever all sessions are ended. Sessions of another stamp open nothing.</summary>
    public string SecurityStamp { get; set; } = "";

    /// <summary>What the store holds; null for a new user and for a name that no account has.</summary>
    internal AccountRow? Stored { get; set; }

    /// <summary>Why the sessions end when a changed stamp is stored.</summary>
    internal string EndReason { get; set; } = "security_stamp_changed";

    /// <summary>Under what failed sign-ins are counted.</summary>
    internal string Subject { get; private init; }

    /// <summary>
    /// Stands for a user name that no account has, so that signing in takes the same steps for it. Its failures are counted under a
    /// hash: people type passwords into the field for the name.
    /// </summary>
    internal static AccountUser Unknown(string userName) =>
        new("", userName, "")
        {
            Subject = $"name:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AccountRow.NameKey(userName))))}",
        };

    internal AccountRow ToAccount() =>
        new(Id, UserName, FullName, PasswordHash ?? "", [.. Roles]) { SecurityStamp = SecurityStamp, Version = Stored?.Version ?? 0 };
}
