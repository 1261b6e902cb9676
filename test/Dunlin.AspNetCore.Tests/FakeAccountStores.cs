using System.Collections.Concurrent;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests;

internal sealed class FakeAccountStore : IAccountStore
{
    private readonly ConcurrentDictionary<string, Account> _accounts = new(StringComparer.Ordinal);

    /// <summary>Thrown by every call while it is set.</summary>
    public Exception? Fault { get; set; }

    public ValueTask<Account?> FindByNameAsync(string username, CancellationToken cancellationToken) => Answer(
        () => _accounts.Values.FirstOrDefault(a => string.Equals(a.Username, username, StringComparison.OrdinalIgnoreCase)));

    public ValueTask<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Answer(() => _accounts.GetValueOrDefault(userId));

    public ValueTask SaveAsync(Account account, CancellationToken cancellationToken)
    {
        if (_accounts.Values.Any(a => a.UserId != account.UserId && string.Equals(a.Username, account.Username, StringComparison.OrdinalIgnoreCase)))
            throw new DunlinException(ErrorCode.Conflict);
        _accounts[account.UserId] = account;
        return default;
    }

    public ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancellationToken) => new([.. _accounts.Values.OrderBy(a => a.Username)]);

    private ValueTask<Account?> Answer(Func<Account?> answer) => Fault is null ? new(answer()) : throw Fault;
}

internal sealed class FakeSessionStore : ISessionStore
{
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private int _finds;

    public IEnumerable<Session> All => _sessions.Values;

    public int Finds => Volatile.Read(ref _finds);

    /// <summary>Thrown by every reading call while it is set.</summary>
    public Exception? Fault { get; set; }

    public ValueTask AddAsync(Session session, CancellationToken cancellationToken)
    {
        Assert.True(_sessions.TryAdd(session.SessionId, session));
        return default;
    }

    public ValueTask<Session?> FindAsync(string sessionId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _finds);
        return Fault is null ? new(_sessions.GetValueOrDefault(sessionId)) : throw Fault;
    }

    public ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken)
    {
        _sessions.TryRemove(ended.SessionId, out _);
        return default;
    }

    public ValueTask<IReadOnlyList<Session>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        new([.. _sessions.Values.Where(s => s.ExpiresAt > now).OrderBy(s => s.CreatedAt)]);

    public ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        foreach (var session in _sessions.Values.Where(s => s.ExpiresAt < before))
            _sessions.TryRemove(session.SessionId, out _);
        return default;
    }
}
