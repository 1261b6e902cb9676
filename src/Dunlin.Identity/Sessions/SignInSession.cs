using Dunlin.Accounts;

namespace Dunlin.Identity;

/// <summary>One sign-in of a user, as applications see it: without the hash of its secret. Immutable.</summary>
/// <param name="SessionId">The id of the session; not a secret.</param>
/// <param name="UserId">The user who signed in.</param>
/// <param name="CreatedAt">When the user signed in.</param>
/// <param name="ExpiresAt">When the session ends by itself.</param>
/// <param name="Description">The user agent, at most 120 characters.</param>
public sealed record SignInSession(string SessionId, string UserId, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string Description)
{
    internal static SignInSession Of(SessionRow row) => new(row.SessionId, row.UserId, row.CreatedAt, row.ExpiresAt, row.Description);
}
