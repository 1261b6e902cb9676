using System.Collections.Concurrent;
using Dunlin.Accounts;
using Dunlin.Topics;

namespace Dunlin.Identity;

/// <summary>A valid session and the current state of its account.</summary>
internal sealed record LiveSession(SessionRow Session, AccountRow Account);

/// <summary>Caches sessions and their accounts, so that not every request reads the store. Thread-safe.</summary>
/// <remarks>An access change that <see cref="AccessChanges"/> reports drops the cached sessions at once. Changes that another node made
/// without a report become visible after <see cref="MaxAge"/> at most.</remarks>
internal sealed class SessionCache : IDisposable
{
    /// <summary>The maximum number of entries, which limits memory to about 10 MB. A full cache is cleared, which costs one read per
    /// session.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>The maximum age of an entry, and so the maximum delay of an unreported change.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(15);

    private readonly ISessionStore _sessions;
    private readonly IAccountStore _accounts;
    private readonly TimeProvider _time;
    private readonly IDisposable[] _subscriptions;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    // Counts drops. A read that overlaps a drop may have seen the old state, so its result is not cached.
    private int _drops;

    public SessionCache(ISessionStore sessions, IAccountStore accounts, AccessChanges changes, TimeProvider time)
    {
        _sessions = sessions;
        _accounts = accounts;
        _time = time;
        _subscriptions =
        [
            changes.OnSessionEnded(ended => Drop(ended.SessionId)),
            changes.OnRightsChanged(DropUser),
            changes.OnEverythingChanged(DropAll),
        ];
    }

    /// <summary>Returns the session, or null if it has ended or expired, or if the security stamp of its account has changed.</summary>
    public async ValueTask<LiveSession?> FindAsync(string sessionId, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        if (_entries.TryGetValue(sessionId, out var entry) && entry.ReadAt + MaxAge > now)
            return IsAlive(entry.Live, now);

        var drops = Volatile.Read(ref _drops);
        if (
            await _sessions.FindAsync(sessionId, cancellationToken) is not { } session
            || await _accounts.FindByIdAsync(session.UserId, cancellationToken) is not { } account
            || account.SecurityStamp != session.SecurityStamp
        )
            return null;
        var live = new LiveSession(session, account);
        Keep(sessionId, new Entry(live, now), drops);
        return IsAlive(live, now);
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }

    private void Keep(string sessionId, Entry entry, int drops)
    {
        if (_entries.Count >= MaxEntries)
            _entries.Clear();
        _entries[sessionId] = entry;
        // Checked after the entry is stored: a drop either happened before and is seen here, or removes the entry.
        if (Volatile.Read(ref _drops) != drops)
            _entries.TryRemove(sessionId, out _);
    }

    private void Drop(string sessionId)
    {
        Interlocked.Increment(ref _drops);
        _entries.TryRemove(sessionId, out _);
    }

    private void DropUser(string userId)
    {
        Interlocked.Increment(ref _drops);
        foreach (var (sessionId, entry) in _entries)
        {
            if (entry.Live.Session.UserId == userId)
                _entries.TryRemove(sessionId, out _);
        }
    }

    private void DropAll()
    {
        Interlocked.Increment(ref _drops);
        _entries.Clear();
    }

    private static LiveSession? IsAlive(LiveSession live, DateTimeOffset now) => live.Session.ExpiresAt > now ? live : null;

    private readonly record struct Entry(LiveSession Live, DateTimeOffset ReadAt);
}
