using System.Net;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Identity;

/// <summary>Signs users in with a password, and slows down guessing. Safe for concurrent use.</summary>
internal sealed class PasswordSignIn(IServiceScopeFactory scopes, AddressThrottle addresses, HashingSlots slots, ILoggerFactory loggers)
{
    private readonly ILogger _log = loggers.CreateLogger("Dunlin.Identity");

    /// <summary>The account that the name and the password open.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidCredentials"/>: they open none.
    /// <see cref="ErrorCode.TooManyRequests"/>: the account, the name or the address must wait, or too many sign in.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was checked.</exception>
    public async ValueTask<AccountRow> SignInAsync(
        string username,
        string password,
        IPAddress? address,
        CancellationToken cancellationToken
    )
    {
        if (addresses.Begin(address) is { } wait)
            throw Slowed(address, wait);
        var isChecked = false;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var manager = scope.ServiceProvider.GetRequiredService<AccountUsers>();
            manager.Stop = cancellationToken;
            var user = await manager.FindByNameAsync(username) ?? AccountUser.Unknown(username);
            // Counted with the slot in hand: that bounds what a flood of attempts writes, and whoever finds no slot is not counted.
            using (await slots.EnterAsync(cancellationToken))
            {
                if (await manager.BeginAttemptAsync(user) is { } locked)
                    throw Slowed(address, locked);
                isChecked = true;
                if (!await manager.VerifyAsync(user, password))
                {
                    IdentityLog.SignInFailed(_log, $"{address}");
                    throw new DunlinException(ErrorCode.InvalidCredentials);
                }
            }
            await manager.ResetAccessFailedCountAsync(user);
            addresses.Succeeded(address);
            return user.ToAccount();
        }
        catch when (!isChecked)
        {
            addresses.Refused(address);
            throw;
        }
    }

    private DunlinException Slowed(IPAddress? address, TimeSpan wait)
    {
        IdentityLog.SignInSlowed(_log, $"{address}", (long)Math.Ceiling(wait.TotalSeconds));
        return new DunlinException(ErrorCode.TooManyRequests, "Too many failed sign-ins.") { RetryAfter = wait };
    }
}
