using Dunlin.Security;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Identity;

/// <summary>Provides the sessions of accounts to the authentication scheme. Thread-safe.</summary>
internal sealed class SessionSource(SessionCache sessions, SessionCookie cookie) : ISessionSource
{
    public async ValueTask<SessionIdentity?> FindAsync(string sessionId, CancellationToken cancellationToken) =>
        Identity(await sessions.FindAsync(sessionId, cancellationToken));

    public bool HasCookie(HttpRequest request) => cookie.IsIn(request);

    public async ValueTask<SessionIdentity?> FindByCookieAsync(HttpContext context) => Identity(await cookie.FindAsync(context));

    private static SessionIdentity? Identity(LiveSession? live) =>
        live is null
            ? null
            : new SessionIdentity(
                live.Session.SessionId,
                live.Account.UserId,
                live.Account.FullName,
                live.Account.Roles,
                live.Session.CreatedAt,
                live.Session.ExpiresAt
            );
}
