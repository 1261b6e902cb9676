using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Identity;

/// <summary>Implements <see cref="IAccounts"/> with <see cref="AccountUsers"/>: one scope per call, and Dunlin's errors.
/// Thread-safe.</summary>
internal sealed class IdentityAccounts(IServiceScopeFactory scopes, IAccountStore store, Sessions sessions) : IAccounts
{
    // Maximum number of attempts. After a concurrent change, an attempt starts again from the stored account.
    private const int MaxTries = 5;

    public async ValueTask<UserAccount> CreateAsync(NewAccount account, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(account);
        await using var scope = scopes.CreateAsyncScope();
        var manager = Manager(scope, cancellationToken);
        var user = new AccountUser(account.UserId ?? Guid.CreateVersion7().ToString("N"), account.Username, account.FullName)
        {
            Roles = [.. account.Roles],
        };
        AccountErrors.Require(await manager.CreateAsync(user, account.Password));
        return UserAccount.Of(user.ToAccount());
    }

    public async ValueTask<UserAccount?> CheckPasswordAsync(string username, string password, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var manager = Manager(scope, cancellationToken);
        var user = await manager.FindByNameAsync(username) ?? AccountUser.Unknown(username);
        return await manager.CheckPasswordAsync(user, password) ? UserAccount.Of(user.ToAccount()) : null;
    }

    public async ValueTask<UserAccount?> FindAsync(string userId, CancellationToken cancellationToken) =>
        await store.FindByIdAsync(userId, cancellationToken) is { } row ? UserAccount.Of(row) : null;

    public async ValueTask<UserAccount?> FindByNameAsync(string username, CancellationToken cancellationToken) =>
        await store.FindByNameAsync(username, cancellationToken) is { } row ? UserAccount.Of(row) : null;

    public async ValueTask<IReadOnlyList<UserAccount>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await store.ListAsync(cancellationToken)).Select(UserAccount.Of)];

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

    private static DunlinException NotFound(string userId) => new(ErrorCode.NotFound, $"No user with id '{userId}'.", "userId");
}
