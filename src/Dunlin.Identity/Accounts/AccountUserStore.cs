using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.AspNetCore.Identity;

namespace Dunlin.Identity;

/// <summary>Implements the store of ASP.NET Core Identity with <see cref="IAccountStore"/>.</summary>
/// <remarks>Storing a changed security stamp ends the sessions with other stamps. Failed sign-ins are stored
/// separately, so counting a failure overwrites no other change of the account.</remarks>
internal sealed class AccountUserStore(
    IAccountStore accounts,
    Sessions sessions,
    SignInLockout lockout,
    AccessChanges changes,
    IdentityErrorDescriber errors
) : IUserPasswordStore<AccountUser>, IUserSecurityStampStore<AccountUser>, IUserLockoutStore<AccountUser>, IUserRoleStore<AccountUser>
{
    public async Task<IdentityResult> CreateAsync(AccountUser user, CancellationToken cancellationToken)
    {
        if (await accounts.FindByIdAsync(user.Id, cancellationToken) is not null)
            return IdentityResult.Failed(AccountErrors.IdTaken(user.Id));
        return await SaveAsync(user, AccountErrors.IdTaken(user.Id), cancellationToken);
    }

    public async Task<IdentityResult> UpdateAsync(AccountUser user, CancellationToken cancellationToken)
    {
        var stamp = user.Stored?.SecurityStamp;
        var saved = await SaveAsync(user, errors.ConcurrencyFailure(), cancellationToken);
        if (!saved.Succeeded)
            return saved;
        // Called before the sessions end, because it drops the cached sessions, which hold the old stamp.
        changes.RightsChanged(user.Id);
        if (stamp is not null && stamp != user.SecurityStamp)
            await sessions.EndAllAsync(user.Id, user.EndReason, user.SecurityStamp, cancellationToken);
        return IdentityResult.Success;
    }

    /// <exception cref="NotSupportedException">Always. Ids are never reused, so accounts are never deleted.</exception>
    public Task<IdentityResult> DeleteAsync(AccountUser user, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Accounts cannot be deleted. To close an account, set another password and end its sessions.");

    public async Task<AccountUser?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        await accounts.FindByIdAsync(userId, cancellationToken) is { } account ? new AccountUser(account) : null;

    public async Task<AccountUser?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
        await accounts.FindByNameAsync(normalizedUserName, cancellationToken) is { } account ? new AccountUser(account) : null;

    public Task<string> GetUserIdAsync(AccountUser user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(AccountUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.UserName);

    public Task SetUserNameAsync(AccountUser user, string? userName, CancellationToken cancellationToken)
    {
        user.UserName = userName ?? "";
        return Task.CompletedTask;
    }

    // The store normalises names itself.
    public Task<string?> GetNormalizedUserNameAsync(AccountUser user, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(AccountRow.NameKey(user.UserName));

    public Task SetNormalizedUserNameAsync(AccountUser user, string? normalizedName, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    public Task<string?> GetPasswordHashAsync(AccountUser user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash);

    public Task<bool> HasPasswordAsync(AccountUser user, CancellationToken cancellationToken) =>
        Task.FromResult(!string.IsNullOrEmpty(user.PasswordHash));

    public Task SetPasswordHashAsync(AccountUser user, string? passwordHash, CancellationToken cancellationToken)
    {
        user.PasswordHash = passwordHash;
        return Task.CompletedTask;
    }

    public Task<string?> GetSecurityStampAsync(AccountUser user, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(user.SecurityStamp);

    public Task SetSecurityStampAsync(AccountUser user, string stamp, CancellationToken cancellationToken)
    {
        user.SecurityStamp = stamp;
        return Task.CompletedTask;
    }

    public async Task<DateTimeOffset?> GetLockoutEndDateAsync(AccountUser user, CancellationToken cancellationToken) =>
        await lockout.FindAsync(user, cancellationToken) is { } failures && failures.LockedUntil > DateTimeOffset.MinValue
            ? failures.LockedUntil
            : null;

    public Task SetLockoutEndDateAsync(AccountUser user, DateTimeOffset? lockoutEnd, CancellationToken cancellationToken) =>
        lockout.LockAsync(user, lockoutEnd ?? DateTimeOffset.MinValue, cancellationToken).AsTask();

    public Task<int> IncrementAccessFailedCountAsync(AccountUser user, CancellationToken cancellationToken) =>
        lockout.CountAsync(user, cancellationToken).AsTask();

    public Task ResetAccessFailedCountAsync(AccountUser user, CancellationToken cancellationToken) =>
        lockout.ClearAsync(user, cancellationToken).AsTask();

    public async Task<int> GetAccessFailedCountAsync(AccountUser user, CancellationToken cancellationToken) =>
        (await lockout.FindAsync(user, cancellationToken)).Count;

    /// <summary>Returns true: <see cref="AccountOptions.FailuresPerAccount"/> applies to all accounts.</summary>
    public Task<bool> GetLockoutEnabledAsync(AccountUser user, CancellationToken cancellationToken) => Task.FromResult(true);

    public Task SetLockoutEnabledAsync(AccountUser user, bool enabled, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task AddToRoleAsync(AccountUser user, string roleName, CancellationToken cancellationToken)
    {
        if (!user.Roles.Contains(roleName, StringComparer.Ordinal))
            user.Roles.Add(roleName);
        return Task.CompletedTask;
    }

    public Task RemoveFromRoleAsync(AccountUser user, string roleName, CancellationToken cancellationToken)
    {
        user.Roles = [.. user.Roles.Where(role => !string.Equals(role, roleName, StringComparison.Ordinal))];
        return Task.CompletedTask;
    }

    public Task<IList<string>> GetRolesAsync(AccountUser user, CancellationToken cancellationToken) =>
        Task.FromResult<IList<string>>([.. user.Roles]);

    public Task<bool> IsInRoleAsync(AccountUser user, string roleName, CancellationToken cancellationToken) =>
        Task.FromResult(user.Roles.Contains(roleName, StringComparer.Ordinal));

    public async Task<IList<AccountUser>> GetUsersInRoleAsync(string roleName, CancellationToken cancellationToken) =>
        [
            .. from account in await accounts.ListAsync(cancellationToken)
            where account.Roles.Contains(roleName, StringComparer.Ordinal)
            select new AccountUser(account),
        ];

    public void Dispose()
    {
        // Holds no resources: the container owns the stores.
    }

    private async ValueTask<IdentityResult> SaveAsync(AccountUser user, IdentityError otherVersion, CancellationToken cancellationToken)
    {
        var account = user.ToAccount();
        try
        {
            if (!await accounts.SaveAsync(account, cancellationToken))
                return IdentityResult.Failed(otherVersion);
        }
        catch (DunlinException exception) when (exception.Code == ErrorCode.Conflict)
        {
            return IdentityResult.Failed(AccountErrors.NameTaken(user.UserName));
        }
        user.Stored = account with { Version = account.Version + 1 };
        return IdentityResult.Success;
    }
}
