using System.Collections.Concurrent;
using Dunlin.Accounts;
using Dunlin.Topics;

namespace Dunlin.Identity;

/// <summary>A session that can be honoured now, and its account as it is now.</summary>
internal sealed record LiveSession(SessionRow Session, AccountRow Account);

/// <summary>
/// Sessions and accounts as last read, so that not every request asks the store. What <see cref="AccessChanges"/> tells of
/// is dropped at once; what another node changed, and nothing tells of, is believed for <see cref="MaxAge"/> at most.
/// </summary>
internal sealed class SessionCache : IDisposable
{
    /// <summary>Bounds memory to some 10 MB; a full cache is emptied, which costs one read per session.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>How long a change that nobody told of may go unnoticed.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(15);

    private readonly ISessionStore _sessions;
    private readonly IAccountStore _accounts;
    private readonly TimeProvider _time;
    private readonly IDisposable[] _subscriptions;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    // Counts what was dropped: a read that was under way meanwhile may have seen the old state, and is not kept.
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

    /// <summary>The session if it has neither ended nor expired and its account still has the stamp that it began with.</summary>
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
        // Looked at after keeping: a drop either came before, and is seen here, or removes what was kept.
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
