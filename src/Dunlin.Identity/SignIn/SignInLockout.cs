using Dunlin.Accounts;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Slows down password guessing at one account, on all nodes and across restarts. Thread-safe.</summary>
/// <remarks>
/// Each attempt counts as a failure when it starts, so that concurrent attempts cannot all be checked before the first one fails. A success
/// clears the count. After the allowed number, an attempt locks the account for 1 s, the next one for 2 s, then 4 s and so on. A refused
/// attempt does not count. User names without account are treated alike: a difference would reveal which accounts exist.
/// </remarks>
internal sealed class SignInLockout(IAccountStore store, IOptions<AccountOptions> options, TimeProvider time)
{
    /// <summary>The maximum number of user names without account in the store. Each costs an attacker one hash, so filling the table takes
    /// longer than the default <see cref="AccountOptions.FailureMemory"/>.</summary>
    public const int MaxUnknownNames = 100_000;

    private static readonly TimeSpan ForgetInterval = TimeSpan.FromMinutes(1);
    private long _forgotAt = DateTimeOffset.MinValue.Ticks;

    public ValueTask<SignInFailures> FindAsync(AccountUser user, CancellationToken cancellationToken) =>
        store.FindFailuresAsync(user.Subject, cancellationToken);

    /// <summary>Returns how long the user must wait, or null if the user need not wait.</summary>
    public async ValueTask<TimeSpan?> WaitAsync(AccountUser user, CancellationToken cancellationToken) =>
        Wait(await FindAsync(user, cancellationToken), time.GetUtcNow());

    /// <summary>Counts an attempt and returns null, or returns how long the user must wait.</summary>
    public async ValueTask<TimeSpan?> BeginAsync(AccountUser user, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (now, was) = (time.GetUtcNow(), await FindAsync(user, cancellationToken));
            if (Wait(was, now) is { } wait)
                return wait;
            // The loop ends: each lost race means that a concurrent attempt was counted, and only a limited number is allowed.
            if (
                options.Value.FailuresPerAccount == 0
                || await store.TryReplaceFailuresAsync(user.Subject, was, Next(user, was, now), cancellationToken)
            )
            {
                await ForgetAsync(now, cancellationToken);
                return null;
            }
        }
    }

    /// <summary>Counts a failure, whether the account is locked or not, and returns the number of failures.</summary>
    public async ValueTask<int> CountAsync(AccountUser user, CancellationToken cancellationToken)
    {
        while (true)
        {
            var was = await FindAsync(user, cancellationToken);
            var next = Next(user, was, time.GetUtcNow());
            if (await store.TryReplaceFailuresAsync(user.Subject, was, next, cancellationToken))
                return next.Count;
        }
    }

    /// <summary>Locks an account until a time, or unlocks it.</summary>
    public async ValueTask LockAsync(AccountUser user, DateTimeOffset until, CancellationToken cancellationToken)
    {
        while (true)
        {
            var was = await FindAsync(user, cancellationToken);
            var next = was with { LockedUntil = until.ToUniversalTime(), HasAccount = user.Stored is not null };
            if (await store.TryReplaceFailuresAsync(user.Subject, was, next, cancellationToken))
                return;
        }
    }

    public ValueTask ClearAsync(AccountUser user, CancellationToken cancellationToken) =>
        store.ClearFailuresAsync(user.Subject, cancellationToken);

    private SignInFailures Next(AccountUser user, SignInFailures was, DateTimeOffset now)
    {
        var value = options.Value;
        var count = was.Count > 0 && was.LastAt + value.FailureMemory > now ? was.Count + 1 : 1;
        var until =
            value.FailuresPerAccount > 0 && count >= value.FailuresPerAccount
                ? now + SignInWait.After(count - value.FailuresPerAccount, value.MaxWait)
                : now;
        return new SignInFailures(count, now, until > was.LockedUntil ? until : was.LockedUntil, user.Stored is not null);
    }

    private static TimeSpan? Wait(SignInFailures failures, DateTimeOffset now) =>
        failures.LockedUntil > now ? failures.LockedUntil - now : null;

    private async ValueTask ForgetAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var forgotAt = Interlocked.Read(ref _forgotAt);
        if (forgotAt + ForgetInterval.Ticks <= now.Ticks && Interlocked.CompareExchange(ref _forgotAt, now.Ticks, forgotAt) == forgotAt)
            await store.ForgetFailuresAsync(now - options.Value.FailureMemory, MaxUnknownNames, cancellationToken);
    }
}

/// <summary>Computes the wait of a password guesser.</summary>
internal static class SignInWait
{
    /// <summary>Returns 1 s, doubled with each further failure, up to <paramref name="longest"/>.</summary>
    public static TimeSpan After(int furtherFailures, TimeSpan longest) =>
        TimeSpan.FromSeconds(Math.Min(1L << Math.Min(furtherFailures, 20), longest.TotalSeconds));
}
