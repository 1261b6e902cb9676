using Dunlin.Accounts;
using Dunlin.Security;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Makes the access tokens of sessions, bound to the session that they come from.</summary>
internal sealed class TokenIssuer(IOptions<AccessTokenOptions> options, AccessTokens tokens, TimeProvider time)
{
    /// <summary>A token for one session, never outliving it.</summary>
    public (string Token, TimeSpan Lifetime) Issue(AccountRow account, SessionRow session)
    {
        var left = session.ExpiresAt - DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var token = tokens.Issue(
            new AccessTokenRequest(account.UserId)
            {
                Name = account.FullName,
                Roles = [.. account.Roles],
                SessionId = session.SessionId,
                Lifetime = left < options.Value.Lifetime ? left : options.Value.Lifetime,
            },
            out var lifetime
        );
        return (token, lifetime);
    }
}
