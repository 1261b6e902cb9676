using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.InMemory;

/// <summary>Accounts and sessions in memory; gone at the end of the process.</summary>
public sealed class InMemoryAccountStore : IAccountStore, ISessionStore
{
    // Guards all three dictionaries.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, AccountRow> _accounts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SessionRow> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SignInFailures> _failures = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ValueTask<AccountRow?> FindByNameAsync(string username, CancellationToken cancellationToken)
    {
        var key = AccountRow.NameKey(username);
        lock (_lock)
            return new(_accounts.Values.FirstOrDefault(a => AccountRow.NameKey(a.Username) == key));
    }

    /// <inheritdoc/>
    public ValueTask<AccountRow?> FindByIdAsync(string userId, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_accounts.GetValueOrDefault(userId));
    }

    /// <inheritdoc/>
    public ValueTask<bool> SaveAsync(AccountRow account, CancellationToken cancellationToken)
    {
        var key = AccountRow.NameKey(account.Username);
        lock (_lock)
        {
            if (_accounts.Values.Any(a => a.UserId != account.UserId && AccountRow.NameKey(a.Username) == key))
                throw AccountRow.NameTaken(account.Username);
            var stored = _accounts.GetValueOrDefault(account.UserId)?.Version ?? 0;
            if (stored > 0 && account.Version is { } expected && expected != stored)
                return new(false);
            _accounts[account.UserId] = account with { Version = stored + 1 };
        }
        return new(true);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<AccountRow>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return new([.. _accounts.Values.OrderBy(a => AccountRow.NameKey(a.Username), StringComparer.Ordinal)]);
    }

    /// <inheritdoc/>
    public ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_failures.GetValueOrDefault(subject, SignInFailures.None));
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryReplaceFailuresAsync(
        string subject,
        SignInFailures expected,
        SignInFailures next,
        CancellationToken cancellationToken
    )
    {
        lock (_lock)
        {
            if (_failures.GetValueOrDefault(subject, SignInFailures.None) != expected)
                return new(false);
            _failures[subject] = next;
        }
        return new(true);
    }

    /// <inheritdoc/>
    public ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken)
    {
        lock (_lock)
            _failures.Remove(subject);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var (subject, failures) in _failures)
            {
                if (failures.LastAt < before && failures.LockedUntil < before)
                    _failures.Remove(subject);
            }
            var unknown = _failures
                .Where(f => !f.Value.HasAccount)
                .OrderByDescending(f => f.Value.LastAt)
                .Skip(maxWithoutAccount)
                .Select(f => f.Key);
            foreach (var subject in unknown.ToList())
                _failures.Remove(subject);
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask AddAsync(SessionRow session, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_sessions.TryAdd(session.SessionId, session))
                throw new DunlinException(ErrorCode.Conflict, "A session with this id exists.");
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<SessionRow?> FindAsync(string sessionId, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_sessions.GetValueOrDefault(sessionId));
    }

    /// <inheritdoc/>
    public ValueTask RemoveAsync(EndedSession ended, CancellationToken cancellationToken)
    {
        lock (_lock)
            _sessions.Remove(ended.SessionId);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<SessionRow>> ListAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new([
                .. _sessions
                    .Values.Where(s => s.ExpiresAt > now)
                    .OrderBy(s => s.CreatedAt)
                    .ThenBy(s => s.SessionId, StringComparer.Ordinal),
            ]);
    }

    /// <inheritdoc/>
    public ValueTask ForgetExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var session in _sessions.Values.Where(s => s.ExpiresAt < before).ToList())
                _sessions.Remove(session.SessionId);
        }
        return default;
    }
}
