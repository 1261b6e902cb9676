using Dunlin.Accounts;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>
/// Slows down guessing at one account, over all nodes and restarts. Each attempt counts as a failure when it begins, so that a hundred
/// at once are not all checked before the first has failed; a success clears them. After the allowed number, the account is locked for 1 s
/// after an attempt, then 2, 4 s and so on. A refused attempt counts for nothing. Names that no account has are treated alike, or the
/// difference would tell which exist. Safe for concurrent use.
/// </summary>
internal sealed class SignInLockout(IAccountStore store, IOptions<AccountOptions> options, TimeProvider time)
{
    /// <summary>Names without an account that the store remembers. Each costs a guesser one hash, so this many take longer than the
    /// default <see cref="AccountOptions.FailureMemory"/>.</summary>
    public const int MaxUnknownNames = 100_000;

    private static readonly TimeSpan ForgetInterval = TimeSpan.FromMinutes(1);
    private long _forgotAt = DateTimeOffset.MinValue.Ticks;

    public ValueTask<SignInFailures> FindAsync(AccountUser user, CancellationToken cancellationToken) =>
        store.FindFailuresAsync(user.Subject, cancellationToken);

    /// <summary>How long the user must still wait; null if not at all.</summary>
    public async ValueTask<TimeSpan?> WaitAsync(AccountUser user, CancellationToken cancellationToken) =>
        Wait(await FindAsync(user, cancellationToken), time.GetUtcNow());

    /// <summary>Counts an attempt, unless the user must wait: then says how long.</summary>
    public async ValueTask<TimeSpan?> BeginAsync(AccountUser user, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (now, was) = (time.GetUtcNow(), await FindAsync(user, cancellationToken));
            if (Wait(was, now) is { } wait)
                return wait;
            // Ends: whoever overtakes this attempt has counted one, and only so many are allowed.
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

    /// <summary>Counts a failure, locked or not, and returns how many there are.</summary>
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

/// <summary>How long a guesser waits.</summary>
internal static class SignInWait
{
    /// <summary>1 s, twice as long with each further failure, up to the longest.</summary>
    public static TimeSpan After(int furtherFailures, TimeSpan longest) =>
        TimeSpan.FromSeconds(Math.Min(1L << Math.Min(furtherFailures, 20), longest.TotalSeconds));
}
