using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Identity;

/// <summary>The simple face of <see cref="AccountUsers"/>: one scope a call, Dunlin's errors.</summary>
internal sealed class IdentityAccounts(IServiceScopeFactory scopes, Sessions sessions) : IAccounts
{
    // A change that another one overtook starts again from what is stored now.
    private const int MaxTries = 5;

    public async ValueTask<AccountRow> CreateAsync(NewAccount account, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(account);
        await using var scope = scopes.CreateAsyncScope();
        var manager = Manager(scope, cancellationToken);
        var user = new AccountUser(account.UserId ?? Guid.CreateVersion7().ToString("N"), account.Username, account.FullName)
        {
            Roles = [.. account.Roles],
        };
        AccountErrors.Require(await manager.CreateAsync(user, account.Password));
        return user.ToAccount();
    }

    public async ValueTask<AccountRow?> CheckPasswordAsync(string username, string password, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var manager = Manager(scope, cancellationToken);
        var user = await manager.FindByNameAsync(username) ?? AccountUser.Unknown(username);
        return await manager.CheckPasswordAsync(user, password) ? user.ToAccount() : null;
    }

    public async ValueTask SetPasswordAsync(string userId, string password, CancellationToken cancellationToken)
    {
        if (
            !await ChangeAsync(
                userId,
                (manager, user) =>
                {
                    user.EndReason = "password_changed";
                    return manager.ReplacePasswordAsync(user, password);
                },
                cancellationToken
            )
        )
            throw NotFound(userId);
    }

    public async ValueTask SetRolesAsync(string userId, IReadOnlyList<string> roles, CancellationToken cancellationToken)
    {
        if (
            !await ChangeAsync(
                userId,
                (manager, user) =>
                {
                    user.Roles = [.. roles];
                    return manager.UpdateAsync(user);
                },
                cancellationToken
            )
        )
            throw NotFound(userId);
    }

    public async ValueTask EndSessionsAsync(string userId, string reason, CancellationToken cancellationToken)
    {
        if (
            !await ChangeAsync(
                userId,
                (manager, user) =>
                {
                    user.EndReason = reason;
                    return manager.UpdateSecurityStampAsync(user);
                },
                cancellationToken
            )
        )
            await sessions.EndAllAsync(userId, reason, exceptStamp: null, cancellationToken);
    }

    private async ValueTask<bool> ChangeAsync(
        string userId,
        Func<AccountUsers, AccountUser, Task<IdentityResult>> change,
        CancellationToken cancellationToken
    )
    {
        for (var tries = 1; ; tries++)
        {
            await using var scope = scopes.CreateAsyncScope();
            var manager = Manager(scope, cancellationToken);
            if (await manager.FindByIdAsync(userId) is not { } user)
                return false;
            var result = await change(manager, user);
            if (tries < MaxTries && AccountErrors.IsConcurrency(result))
                continue;
            AccountErrors.Require(result);
            return true;
        }
    }

    private static AccountUsers Manager(AsyncServiceScope scope, CancellationToken cancellationToken)
    {
        var manager = scope.ServiceProvider.GetRequiredService<AccountUsers>();
        manager.Stop = cancellationToken;
        return manager;
    }

    private static DunlinException NotFound(string userId) => new(ErrorCode.NotFound, $"There is no user '{userId}'.", "userId");
}
