using Dunlin.Accounts;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Begins and ends sessions.</summary>
internal sealed class Sessions(
    ISessionStore store,
    AccessChanges changes,
    IOptions<AccountOptions> options,
    TimeProvider time,
    ILogger<Sessions> logger
) : ISessions
{
    private const int MaxDescriptionLength = 120;

    // Expired sessions are harmless; removing them rides along with signing in, at most so often.
    private static readonly TimeSpan ForgetInterval = TimeSpan.FromHours(1);
    private long _forgotAt = DateTimeOffset.MinValue.Ticks;

    /// <summary>A new session and the secret of its cookie, which is not kept.</summary>
    public async ValueTask<(SessionRow Session, string Secret)> BeginAsync(
        AccountRow account,
        string? userAgent,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var secret = Secret.Make();
        var session = new SessionRow(
            Secret.MakeId(),
            account.UserId,
            Secret.Hash(secret),
            now,
            now + options.Value.SessionLifetime,
            Describe(userAgent)
        )
        {
            // As it was when the password was checked: a password that was changed since then has ended this session already.
            SecurityStamp = account.SecurityStamp,
        };
        await store.AddAsync(session, cancellationToken);
        IdentityLog.SignedIn(logger, account.UserId, session.SessionId);
        var forgotAt = Interlocked.Read(ref _forgotAt);
        if (forgotAt + ForgetInterval.Ticks <= now.Ticks && Interlocked.CompareExchange(ref _forgotAt, now.Ticks, forgotAt) == forgotAt)
            await store.ForgetExpiredAsync(now, cancellationToken);
        return (session, secret);
    }

    /// <summary>Ends a session; told only after the store has it, so that nobody is let in again in between.</summary>
    public ValueTask EndAsync(string userId, string sessionId, string reason, CancellationToken cancellationToken) =>
        EndAsync(new EndedSession(userId, sessionId, reason), cancellationToken);

    public ValueTask<IReadOnlyList<SessionRow>> ListAsync(CancellationToken cancellationToken) =>
        store.ListAsync(time.GetUtcNow(), cancellationToken);

    public async ValueTask<bool> EndAsync(
        string sessionId,
        string reason,
        ReadOnlyMemory<byte> lastFrame,
        CancellationToken cancellationToken
    )
    {
        if (await store.FindAsync(sessionId, cancellationToken) is not { } session || session.ExpiresAt <= time.GetUtcNow())
            return false;
        await EndAsync(new EndedSession(session.UserId, sessionId, reason) { LastFrame = lastFrame }, cancellationToken);
        return true;
    }

    /// <summary>Ends all sessions of a user, but for those of the stamp <paramref name="exceptStamp"/>.</summary>
    public async ValueTask EndAllAsync(string userId, string reason, string? exceptStamp, CancellationToken cancellationToken)
    {
        foreach (var session in await store.ListAsync(time.GetUtcNow(), cancellationToken))
        {
            if (session.UserId == userId && session.SecurityStamp != exceptStamp)
                await EndAsync(userId, session.SessionId, reason, cancellationToken);
        }
    }

    private async ValueTask EndAsync(EndedSession ended, CancellationToken cancellationToken)
    {
        await store.RemoveAsync(ended, cancellationToken);
        IdentityLog.SessionEnded(logger, ended.SessionId, ended.UserId, ended.Reason);
        changes.SessionEnded(ended);
    }

    private static string Describe(string? userAgent)
    {
        var text = new string([.. (userAgent ?? "").Where(c => !char.IsControl(c)).Take(MaxDescriptionLength)]);
        return text.Length > 0 ? text : "unknown";
    }
}
