using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Extends Identity's <see cref="UserManager{TUser}"/> for a server on the open internet. Not thread-safe.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Password hashing uses a limited share of the cores.</item>
/// <item>Times come from the application's clock.</item>
/// <item>An attempt is counted as a failure before its password is checked.</item>
/// <item>User names without account take the same time and steps as others.</item>
/// </list>
/// </remarks>
internal sealed class AccountUsers(
    IUserStore<AccountUser> store,
    IPasswordHasher<AccountUser> hasher,
    IEnumerable<IUserValidator<AccountUser>> userValidators,
    IEnumerable<IPasswordValidator<AccountUser>> passwordValidators,
    IdentityErrorDescriber errors,
    IServiceProvider services,
    ILogger<UserManager<AccountUser>> logger,
    IOptions<AccountOptions> options,
    HashingSlots slots,
    SignInLockout lockout
)
    : UserManager<AccountUser>(
        store,
        Microsoft.Extensions.Options.Options.Create(IdentityOf(options.Value)),
        hasher,
        userValidators,
        passwordValidators,
        AsWritten.Instance,
        errors,
        services,
        logger
    )
{
    /// <summary>Gets or sets the token that cancels later calls.</summary>
    public CancellationToken Stop { get; set; }

    protected override CancellationToken CancellationToken => Stop;

    public override async Task<IdentityResult> CreateAsync(AccountUser user, string password)
    {
        using var slot = await slots.EnterAsync(Stop);
        return await base.CreateAsync(user, password);
    }

    public override async Task<IdentityResult> AddPasswordAsync(AccountUser user, string password)
    {
        using var slot = await slots.EnterAsync(Stop);
        return await base.AddPasswordAsync(user, password);
    }

    public override async Task<IdentityResult> ChangePasswordAsync(AccountUser user, string currentPassword, string newPassword)
    {
        using var slot = await slots.EnterAsync(Stop);
        return await base.ChangePasswordAsync(user, currentPassword, newPassword);
    }

    public override async Task<IdentityResult> ResetPasswordAsync(AccountUser user, string token, string newPassword)
    {
        using var slot = await slots.EnterAsync(Stop);
        return await base.ResetPasswordAsync(user, token, newPassword);
    }

    /// <summary>Replaces the password without checking the old one.</summary>
    public async Task<IdentityResult> ReplacePasswordAsync(AccountUser user, string password)
    {
        using var slot = await slots.EnterAsync(Stop);
        var result = await UpdatePasswordHash(user, password, validatePassword: true);
        return result.Succeeded ? await UpdateUserAsync(user) : result;
    }

    public override async Task<bool> CheckPasswordAsync(AccountUser user, string password)
    {
        using var slot = await slots.EnterAsync(Stop);
        return await VerifyAsync(user, password);
    }

    /// <summary>Verifies the password. The caller must hold a hashing slot. A user name without account costs one hash too.</summary>
    public async Task<bool> VerifyAsync(AccountUser user, string password)
    {
        var nobody = slots.HashOfNobody(PasswordHasher);
        var hash = string.IsNullOrEmpty(user.PasswordHash) ? null : user.PasswordHash;
        var result = PasswordHasher.VerifyHashedPassword(user, hash ?? nobody, password);
        if (hash is null || result == PasswordVerificationResult.Failed)
            return false;
        if (result == PasswordVerificationResult.SuccessRehashNeeded)
        {
            // Not UpdatePasswordHash, because that changes the stamp although the password stays the same. If the account was changed
            // concurrently, nothing is saved, and the next sign-in hashes again.
            user.PasswordHash = PasswordHasher.HashPassword(user, password);
            await Store.UpdateAsync(user, Stop);
        }
        return true;
    }

    /// <summary>Counts a sign-in attempt and returns null, or returns how long the user must wait.</summary>
    public ValueTask<TimeSpan?> BeginAttemptAsync(AccountUser user) => lockout.BeginAsync(user, Stop);

    public override async Task<bool> IsLockedOutAsync(AccountUser user) => await lockout.WaitAsync(user, Stop) is not null;

    // The base class saves the whole account after each of these two methods, and uses the system clock.
    public override async Task<IdentityResult> AccessFailedAsync(AccountUser user)
    {
        await lockout.CountAsync(user, Stop);
        return IdentityResult.Success;
    }

    public override async Task<IdentityResult> ResetAccessFailedCountAsync(AccountUser user)
    {
        await lockout.ClearAsync(user, Stop);
        return IdentityResult.Success;
    }

    // Separate options: the application may have another UserManager, which IdentityOptions configures.
    private static IdentityOptions IdentityOf(AccountOptions options) =>
        new()
        {
            Password =
            {
                RequiredLength = options.MinPasswordLength,
                RequireDigit = false,
                RequireLowercase = false,
                RequireUppercase = false,
                RequireNonAlphanumeric = false,
            },
        };

    // Identity normalises user names and roles alike. Here role names are case-sensitive, and the store normalises user names.
    private sealed class AsWritten : ILookupNormalizer
    {
        public static AsWritten Instance { get; } = new();

        public string? NormalizeName(string? name) => name;

        public string? NormalizeEmail(string? email) => email;
    }
}
