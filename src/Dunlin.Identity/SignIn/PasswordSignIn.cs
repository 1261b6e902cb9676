using System.Net;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Identity;

/// <summary>Signs in users with a password, and slows down password guessing. Thread-safe.</summary>
internal sealed class PasswordSignIn(IServiceScopeFactory scopes, AddressThrottle addresses, HashingSlots slots, ILoggerFactory loggers)
{
    private readonly ILogger _log = loggers.CreateLogger("Dunlin.Identity");

    /// <summary>Returns the account of a user name and password.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidCredentials"/>: they match no account.
    /// <see cref="ErrorCode.TooManyRequests"/>: the account, the name or the address must wait, or too many users sign in at once.
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
            // Counted while holding a slot: the slots limit the writes that a flood of attempts causes, and an attempt without a slot is
            // not counted.
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
        return new DunlinException(ErrorCode.TooManyRequests, "Too many failed sign-ins. Wait for the time in Retry-After.")
        {
            RetryAfter = wait,
        };
    }
}
