using System.Collections.Concurrent;
using Dunlin.Accounts;
using Dunlin.InMemory;
using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests;

internal sealed class FakeAccountStore : IAccountStore
{
    private readonly InMemoryAccountStore _store = new();

    /// <summary>Thrown by every call that reads accounts or counts failures, while it is set.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Runs after an account was read by name, before the reader gets it.</summary>
    public Func<Task>? AfterFindByName { get; set; }

    public async ValueTask<AccountRow?> FindByNameAsync(string username, CancellationToken cancellationToken)
    {
        var account = await Reached().FindByNameAsync(username, cancellationToken);
        if (AfterFindByName is { } run)
            await run();
        return account;
    }

    public ValueTask<AccountRow?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        Reached().FindByIdAsync(userId, cancellationToken);

    public ValueTask<bool> SaveAsync(AccountRow account, CancellationToken cancellationToken) =>
        _store.SaveAsync(account, cancellationToken);

    public ValueTask<IReadOnlyList<AccountRow>> ListAsync(CancellationToken cancellationToken) => _store.ListAsync(cancellationToken);

    public ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken) =>
        Reached().FindFailuresAsync(subject, cancellationToken);

    public ValueTask<bool> TryReplaceFailuresAsync(
        string subject,
        SignInFailures expected,
        SignInFailures next,
        CancellationToken cancellationToken
    ) => Reached().TryReplaceFailuresAsync(subject, expected, next, cancellationToken);

    public ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken) =>
        Reached().ClearFailuresAsync(subject, cancellationToken);

    public ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken) =>
        Reached().ForgetFailuresAsync(before, maxWithoutAccount, cancellationToken);

    private InMemoryAccountStore Reached() => Fault is null ? _store : throw Fault;
}

internal sealed class FakeSessionStore : ISessionStore
{
    private readonly ConcurrentDictionary<string, SessionRow> _sessions = new(StringComparer.Ordinal);
    private int _finds;

    public IEnumerable<SessionRow> All => _sessions.Values;

    public int Finds => Volatile.Read(ref _finds);

    /// <summary>Thrown by every reading call while it is set.</summary>
    public Exception? Fault { get; set; }

    public ValueTask AddAsync(SessionRow session, CancellationToken cancellationToken)
    {
        Assert.True(_sessions.TryAdd(session.SessionId, session));
        return default;
    }

    public ValueTask<SessionRow?> FindAsync(string sessionId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _finds);
        return Fault is null ? new(_sessions.GetValueOrDefault(sessionId)) : throw Fault;
    }

    public ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken)
    {
        _sessions.TryRemove(ended.SessionId, out _);
        return default;
    }

    public ValueTask<IReadOnlyList<SessionRow>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        new([.. _sessions.Values.Where(s => s.ExpiresAt > now).OrderBy(s => s.CreatedAt)]);

    public ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        foreach (var session in _sessions.Values.Where(s => s.ExpiresAt < before))
            _sessions.TryRemove(session.SessionId, out _);
        return default;
    }
}
