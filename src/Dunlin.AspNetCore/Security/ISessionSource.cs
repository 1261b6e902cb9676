using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>Represents a valid sign-in session with the current name and roles of its user. Immutable.</summary>
/// <param name="SessionId">The stable id of the session.</param>
/// <param name="UserId">The stable id of the user.</param>
/// <param name="Name">The display name.</param>
/// <param name="Roles">The roles of the user.</param>
/// <param name="CreatedAt">The start of the session.</param>
/// <param name="ExpiresAt">The time at which the session expires.</param>
public sealed record SessionIdentity(
    string SessionId,
    string UserId,
    string Name,
    IReadOnlyList<string> Roles,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt
);

/// <summary>Finds the sign-in sessions of this server for the scheme <see cref="DunlinAuthentication.Scheme"/>.</summary>
/// <remarks><c>Dunlin.Identity</c> registers an implementation. Without one, tokens and tickets are valid without a session, and the scheme
/// reads no cookie. Implementations must be thread-safe, and fast: every request of a session calls one of these methods.</remarks>
public interface ISessionSource
{
    /// <summary>Returns the session, or null if it does not exist or has ended, expired or been superseded.</summary>
    /// <param name="sessionId">The id of the session.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="Diagnostics.DunlinException">The store is unavailable.</exception>
    ValueTask<SessionIdentity?> FindAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>Returns whether the request carries a session cookie, valid or not.</summary>
    /// <param name="request">The request.</param>
    bool HasCookie(HttpRequest request);

    /// <summary>Returns the session of the request's cookie, or null if the cookie is missing or invalid.</summary>
    /// <param name="context">The request.</param>
    /// <exception cref="Diagnostics.DunlinException">The store is unavailable.</exception>
    ValueTask<SessionIdentity?> FindByCookieAsync(HttpContext context);
}
