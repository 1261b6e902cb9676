using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>A sign-in session that can be honoured now, and what its user is now.</summary>
/// <param name="SessionId">The stable id of the session.</param>
/// <param name="UserId">The stable id of the user.</param>
/// <param name="Name">The name shown to others.</param>
/// <param name="Roles">Roles of the user.</param>
/// <param name="CreatedAt">When the session began.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
public sealed record SessionIdentity(
    string SessionId,
    string UserId,
    string Name,
    IReadOnlyList<string> Roles,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt
);

/// <summary>
/// The sign-in sessions of this server, as the scheme <see cref="DunlinAuthentication.Scheme"/> asks for them. <c>Dunlin.Identity</c>
/// registers one; without one, tokens and tickets stand for themselves and no cookie is read. Implementations are safe for
/// concurrent use, and fast: every request of a session asks.
/// </summary>
public interface ISessionSource
{
    /// <summary>The session; null if there is none or it has ended, expired or been superseded.</summary>
    /// <exception cref="Diagnostics.DunlinException">The store could not be asked.</exception>
    ValueTask<SessionIdentity?> FindAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Whether the request carries a session cookie, valid or not.</summary>
    bool HasCookie(HttpRequest request);

    /// <summary>The session that the request's cookie proves; null if it proves none.</summary>
    /// <exception cref="Diagnostics.DunlinException">The store could not be asked.</exception>
    ValueTask<SessionIdentity?> FindByCookieAsync(HttpContext context);
}
