using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

internal sealed class PasswordAccounts : IAccounts, IDisposable
{
    public const int MaxNameLength = 100;

    /// <summary>Hashing costs the same for any length that passes; this bounds what is read and kept for it.</summary>
    public const int MaxPasswordLength = 256;

    private readonly IAccountStore _accounts;
    private readonly Sessions _sessions;
    private readonly IPasswordHasher<Account> _hasher;
    private readonly AccessChanges _changes;
    private readonly AccountOptions _options;

    // A hash is some 100 ms of one core on purpose: signing in must not take all of them from the streams.
    private readonly SemaphoreSlim _hashing = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly Lazy<Account> _nobody;

    public PasswordAccounts(
        IAccountStore accounts, Sessions sessions, IPasswordHasher<Account> hasher, AccessChanges changes, IOptions<AccountOptions> options)
    {
        _accounts = accounts;
        _sessions = sessions;
        _hasher = hasher;
        _changes = changes;
        _options = options.Value;
        // Checked for names that do not exist, so that the answer comes no sooner. Nobody knows its password.
        _nobody = new(() => new Account("", "", "", hasher.HashPassword(null!, Secret.Make()), []));
    }

    public async ValueTask<Account> CreateAsync(NewAccount account, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(account);
        RequireName(account.Username, "username");
        RequireName(account.FullName, "fullName");
        RequirePassword(account.Password);
        if (account.UserId is not null)
        {
            RequireName(account.UserId, "userId");
            if (UserIds.Fault(account.UserId) is { } fault)
                throw new DunlinException(ErrorCode.InvalidField, fault, "userId");
        }
        if (await _accounts.FindByNameAsync(account.Username, cancellationToken) is not null)
            throw new DunlinException(ErrorCode.Conflict, $"The user name '{account.Username}' is taken.", "username");
        var userId = account.UserId ?? Guid.CreateVersion7().ToString("N");
        if (await _accounts.FindByIdAsync(userId, cancellationToken) is not null)
            throw new DunlinException(ErrorCode.Conflict, $"The user id '{userId}' is taken.", "userId");
        var made = new Account(userId, account.Username, account.FullName, await HashAsync(account.Password, cancellationToken), [.. account.Roles]);
        await _accounts.SaveAsync(made, cancellationToken);
        return made;
    }

    public async ValueTask<Account?> CheckPasswordAsync(string username, string password, CancellationToken cancellationToken)
    {
        var account = await _accounts.FindByNameAsync(username, cancellationToken);
        var compared = account ?? _nobody.Value;
        await _hashing.WaitAsync(cancellationToken);
        PasswordVerificationResult result;
        try
        {
            result = _hasher.VerifyHashedPassword(compared, compared.PasswordHash, password);
        }
        finally
        {
            _hashing.Release();
        }
        if (account is null || result == PasswordVerificationResult.Failed)
            return null;
        if (result == PasswordVerificationResult.SuccessRehashNeeded)
            await _accounts.SaveAsync(account = account with { PasswordHash = await HashAsync(password, cancellationToken) }, cancellationToken);
        return account;
    }

    public async ValueTask SetPasswordAsync(string userId, string password, CancellationToken cancellationToken)
    {
        RequirePassword(password);
        var account = await RequireAsync(userId, cancellationToken);
        await _accounts.SaveAsync(account with { PasswordHash = await HashAsync(password, cancellationToken) }, cancellationToken);
        await EndSessionsAsync(userId, "password_changed", cancellationToken);
    }

    public async ValueTask SetRolesAsync(string userId, IReadOnlyList<string> roles, CancellationToken cancellationToken)
    {
        var account = await RequireAsync(userId, cancellationToken);
        await _accounts.SaveAsync(account with { Roles = [.. roles] }, cancellationToken);
        _changes.RightsChanged(userId);
    }

    public ValueTask EndSessionsAsync(string userId, string reason, CancellationToken cancellationToken) =>
        _sessions.EndAllAsync(userId, reason, cancellationToken);

    public void Dispose() => _hashing.Dispose();

    private async ValueTask<Account> RequireAsync(string userId, CancellationToken cancellationToken) =>
        await _accounts.FindByIdAsync(userId, cancellationToken) ?? throw new DunlinException(ErrorCode.NotFound, $"There is no user '{userId}'.", "userId");

    private async ValueTask<string> HashAsync(string password, CancellationToken cancellationToken)
    {
        await _hashing.WaitAsync(cancellationToken);
        try
        {
            return _hasher.HashPassword(null!, password);
        }
        finally
        {
            _hashing.Release();
        }
    }

    private void RequirePassword(string password)
    {
        if (password.Length < _options.MinPasswordLength || password.Length > MaxPasswordLength)
            throw new DunlinException(ErrorCode.InvalidField, $"A password has {_options.MinPasswordLength} to {MaxPasswordLength} characters.", "password");
    }

    private static void RequireName(string name, string field)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxNameLength || name != name.Trim() || name.Any(char.IsControl))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' has 1 to {MaxNameLength} characters, no control characters, and no spaces around it.", field);
    }
}
