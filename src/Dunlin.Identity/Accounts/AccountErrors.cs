using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Identity;

namespace Dunlin.Identity;

/// <summary>Converts errors of ASP.NET Core Identity to problems that name the field.</summary>
internal static class AccountErrors
{
    public static IdentityError IdTaken(string userId) =>
        new FieldError(ErrorCode.Conflict, "userId")
        {
            Code = "DuplicateUserId",
            Description = $"The user id '{userId}' is taken. Choose another one.",
        };

    public static IdentityError NameTaken(string userName) =>
        new FieldError(ErrorCode.Conflict, "username")
        {
            Code = nameof(IdentityErrorDescriber.DuplicateUserName),
            Description = $"The user name '{userName}' is taken. Choose another one.",
        };

    public static IdentityError Invalid(string field, string description) =>
        new FieldError(ErrorCode.InvalidField, field) { Code = $"Invalid{field}", Description = description };

    public static IdentityError PasswordLength(int min, int max) =>
        new FieldError(ErrorCode.InvalidField, "password")
        {
            Code = "PasswordLength",
            Description = $"A password must have {min} to {max} characters.",
        };

    public static bool IsConcurrency(IdentityResult result) =>
        result.Errors.Any(error => error.Code == nameof(IdentityErrorDescriber.ConcurrencyFailure));

    /// <exception cref="DunlinException">The result is a failure. The exception describes its first error that names a field, or otherwise
    /// its first error.</exception>
    public static void Require(IdentityResult result)
    {
        if (result.Succeeded)
            return;
        var error = result.Errors.OfType<FieldError>().FirstOrDefault() ?? result.Errors.First();
        throw error switch
        {
            FieldError known => new DunlinException(known.Error, known.Description, known.Field),
            { Code: nameof(IdentityErrorDescriber.ConcurrencyFailure) } => new DunlinException(
                ErrorCode.Conflict,
                "Another request changed the account at the same time. Repeat the change."
            ),
            { Code: var code } when code.StartsWith("Password", StringComparison.Ordinal) => new DunlinException(
                ErrorCode.InvalidField,
                error.Description,
                "password"
            ),
            _ => new DunlinException(ErrorCode.InvalidField, error.Description),
        };
    }

    private sealed class FieldError(ErrorCode error, string fieldName) : IdentityError
    {
        public ErrorCode Error => error;

        public string Field => fieldName;
    }
}
