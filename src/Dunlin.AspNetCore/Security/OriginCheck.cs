using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Security;

/// <summary>
/// Keeps pages of other origins from writing with a visitor's cookie. A browser sends cookies by itself, so a write that
/// carries one must come from the site itself or from an allowed origin: <c>Sec-Fetch-Site</c> says so, and where a
/// browser is too old for it, <c>Origin</c> does, compared by host because a proxy may have ended TLS. A request with
/// neither header is not from a page of another site (every browser sends <c>Origin</c> with a cross-origin write).
/// A request with an <c>Authorization</c> header is not checked: no browser adds that by itself across origins.
/// </summary>
internal static class OriginCheck
{
    /// <summary>Refuses a cross-origin write whose credential is, or may be, a cookie.</summary>
    public static void RequireOwnOrigin(HttpContext context)
    {
        var request = context.Request;
        if (IsSafe(request.Method) || request.Headers.Authorization.Count > 0 || request.Headers.Cookie.Count == 0)
            return;
        RequireOwnOriginAlways(context);
    }

    /// <summary>Refuses a cross-origin write whatever its credential: for signing in, which sets a cookie.</summary>
    public static void RequireOwnOriginAlways(HttpContext context)
    {
        if (!IsOwn(context.Request, context.RequestServices.GetService<IOptions<OriginOptions>>()?.Value))
            throw new DunlinException(ErrorCode.OriginRefused);
    }

    public static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private static bool IsOwn(HttpRequest request, OriginOptions? options)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is "same-origin" or "none")
            return true;
        var origin = request.Headers[HeaderNames.Origin].ToString();
        if (origin.Length > 0 && options is { AllowCredentials: true } && options.AllowedOrigins.Contains(origin))
            return true;
        if (site.Length > 0)
            return false;
        return origin.Length == 0
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, Authority(request, uri), StringComparison.OrdinalIgnoreCase));
    }

    // "example.com:443" and "example.com" are one authority under https.
    private static string Authority(HttpRequest request, Uri origin)
    {
        var host = request.Host;
        return host.Port == origin.Port && origin.IsDefaultPort ? host.Host : host.Value ?? "";
    }
}
