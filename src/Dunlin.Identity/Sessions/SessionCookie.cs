using System.Text;
using Dunlin.Accounts;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>The session cookie, <c>sessionId.secret</c>. Thread-safe.</summary>
/// <remarks>Scripts cannot read the cookie (HttpOnly), and cross-site writes do not carry it (SameSite=Lax). Cookies belong to a host name,
/// not to a port (RFC 6265, section 8.5), so servers on one host name receive each other's cookies. Each server therefore uses its own
/// cookie name, and leaves a cookie without a session in its store alone.</remarks>
internal sealed class SessionCookie(IOptions<AccountOptions> options, SigningKeyStore keys, SessionCache sessions)
{
    private const string DefaultName = "dunlin_session";
    private const int SuffixBytes = 4;

    // Computed on first use: the signing key may be in a store that opens only at the start of the host.
    private readonly Lazy<string> _name = new(() => options.Value.CookieName ?? $"{DefaultName}_{Suffix(keys)}");

    public string Name => _name.Value;

    public void Set(HttpContext context, SessionRow session, string secret)
    {
        var attributes = Options(context);
        attributes.MaxAge = session.ExpiresAt - session.CreatedAt; // a duration, so that the browser's clock does not matter
        context.Response.Cookies.Append(Name, $"{session.SessionId}.{secret}", attributes);
    }

    /// <summary>Deletes the cookie in the browser. Only for a cookie with a session that <see cref="FindAsync"/> has found: another cookie
    /// may belong to another server on this host name.</summary>
    public void Clear(HttpContext context) => context.Response.Cookies.Delete(Name, Options(context));

    public bool IsIn(HttpRequest request) => request.Cookies.ContainsKey(Name);

    /// <summary>Returns the session of the request's cookie, or null if the cookie is missing or invalid.</summary>
    public async ValueTask<LiveSession?> FindAsync(HttpContext context)
    {
        if (context.Request.Cookies[Name] is not { Length: > 0 and <= 200 } cookie)
            return null;
        var dot = cookie.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || !Secret.LooksRight(cookie[(dot + 1)..]))
            return null;
        return
            await sessions.FindAsync(cookie[..dot], context.RequestAborted) is { } live
            && Secret.Matches(cookie[(dot + 1)..], live.Session.SecretHash)
            ? live
            : null;
    }

    // The nodes of a site share the key, and so the name. The HMAC reveals nothing about the key.
    private static string Suffix(SigningKeyStore keys) =>
        Convert.ToHexStringLower(keys.Key.Sign(Encoding.ASCII.GetBytes(DefaultName)).AsSpan(0, SuffixBytes));

    private static CookieOptions Options(HttpContext context) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            Path = "/",
            IsEssential = true,
        };
}
