using Dunlin.Topics;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Checks the user name, the display name and the id of an account. Unchanged stored names always pass, because another rule may
/// have allowed them.</summary>
internal sealed class AccountNameValidator : IUserValidator<AccountUser>
{
    public const int MaxLength = 100;

    public async Task<IdentityResult> ValidateAsync(UserManager<AccountUser> manager, AccountUser user)
    {
        if (user.UserName != user.Stored?.Username && !IsName(user.UserName))
            return IdentityResult.Failed(Wrong("username"));
        if (user.FullName != user.Stored?.FullName && !IsName(user.FullName))
            return IdentityResult.Failed(Wrong("fullName"));
        if (user.Stored is null)
        {
            if (!IsName(user.Id))
                return IdentityResult.Failed(Wrong("userId"));
            if (UserIds.Fault(user.Id) is { } fault)
                return IdentityResult.Failed(AccountErrors.Invalid("userId", fault));
        }
        return user.UserName != user.Stored?.Username && await manager.FindByNameAsync(user.UserName) is { } other && other.Id != user.Id
            ? IdentityResult.Failed(AccountErrors.NameTaken(user.UserName))
            : IdentityResult.Success;
    }

    private static IdentityError Wrong(string field) =>
        AccountErrors.Invalid(
            field,
            $"'{field}' must have 1 to {MaxLength} characters, without control characters and without spaces at its ends."
        );

    private static bool IsName(string name) =>
        !string.IsNullOrWhiteSpace(name) && name.Length <= MaxLength && name == name.Trim() && !name.Any(char.IsControl);
}

/// <summary>Checks the minimum and maximum length of a password, with one message. Identity's own validator checks the minimum
/// only.</summary>
internal sealed class PasswordLengthValidator(IOptions<AccountOptions> options) : IPasswordValidator<AccountUser>
{
    /// <summary>The maximum length. Hashing costs the same for all lengths; this limits the input that is read and kept for it.</summary>
    public const int MaxLength = 256;

    public Task<IdentityResult> ValidateAsync(UserManager<AccountUser> manager, AccountUser user, string? password)
    {
        var min = options.Value.MinPasswordLength;
        return Task.FromResult(
            password is not null && password.Length >= min && password.Length <= MaxLength
                ? IdentityResult.Success
                : IdentityResult.Failed(AccountErrors.PasswordLength(min, MaxLength))
        );
    }
}
