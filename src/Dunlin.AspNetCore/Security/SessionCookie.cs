using Dunlin.Accounts;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>The cookie of a sign-in: <c>sessionId.secret</c>. Scripts cannot read it, other sites' requests do not carry it.</summary>
internal static class SessionCookie
{
    public const string Name = "dunlin_session";

    public static void Set(HttpContext context, Session session, string secret)
    {
        var options = Options(context);
        options.MaxAge = session.ExpiresAt - session.CreatedAt; // a span, so that the browser's clock need not be right
        context.Response.Cookies.Append(Name, $"{session.SessionId}.{secret}", options);
    }

    public static void Clear(HttpContext context)
    {
        if (context.Request.Cookies.ContainsKey(Name))
            context.Response.Cookies.Delete(Name, Options(context));
    }

    /// <summary>The session that the request's cookie opens; null if it has none or it opens nothing.</summary>
    public static async ValueTask<LiveSession?> FindAsync(HttpContext context, SessionCache sessions)
    {
        if (context.Request.Cookies[Name] is not { Length: > 0 and <= 200 } cookie)
            return null;
        var dot = cookie.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || !Secret.LooksRight(cookie[(dot + 1)..]))
            return null;
        return await sessions.FindAsync(cookie[..dot], context.RequestAborted) is { } live && Secret.Matches(cookie[(dot + 1)..], live.Session.SecretHash)
            ? live
            : null;
    }

    private static CookieOptions Options(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps,
        Path = "/",
        IsEssential = true,
    };
}
