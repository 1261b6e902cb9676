using System.Text;
using Dunlin.Accounts;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>
/// The cookie of a sign-in: <c>sessionId.secret</c>. Scripts cannot read it, other sites' requests do not carry it. Cookies belong to
/// a host name and not to a port (RFC 6265, section 8.5), so servers on one host name see each other's: each has a name of its own,
/// and a cookie that opens no session here is left alone.
/// </summary>
internal sealed class SessionCookie(IOptions<AccountOptions> options, SigningKeyStore keys, SessionCache sessions)
{
    private const string DefaultName = "dunlin_session";
    private const int SuffixBytes = 4;

    // Made when first asked for: the key may lie in a store that is open only after the start.
    private readonly Lazy<string> _name = new(() => options.Value.CookieName ?? $"{DefaultName}_{Suffix(keys)}");

    public string Name => _name.Value;

    public void Set(HttpContext context, SessionRow session, string secret)
    {
        var attributes = Options(context);
        attributes.MaxAge = session.ExpiresAt - session.CreatedAt; // a span, so that the browser's clock need not be right
        context.Response.Cookies.Append(Name, $"{session.SessionId}.{secret}", attributes);
    }

    /// <summary>Has the browser forget the cookie. Only for one that <see cref="FindAsync"/> has found a session for: another may
    /// belong to another server on this host name.</summary>
    public void Clear(HttpContext context) => context.Response.Cookies.Delete(Name, Options(context));

    public bool IsIn(HttpRequest request) => request.Cookies.ContainsKey(Name);

    /// <summary>The session that the request's cookie opens; null if it has none or it opens nothing.</summary>
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

    // The nodes of one site share the key, and so the name. A keyed hash tells nothing of the key.
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
