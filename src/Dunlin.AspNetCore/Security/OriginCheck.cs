using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Authentication;
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
/// Only the credential that authenticated the request exempts it, and only if a page has to set that credential itself: the
/// presence of an <c>Authorization</c> header proves nothing, because a cookie beside it may be what authenticated.
/// </summary>
internal static class OriginCheck
{
    private const string PageCredentialItem = ".dunlin.page";

    /// <summary>Refuses a cross-origin write whose credential is, or may be, a cookie.</summary>
    public static void RequireOwnOrigin(HttpContext context)
    {
        if (IsSafe(context.Request.Method) || context.Request.Headers.Cookie.Count == 0 || IsSetByPage(context))
            return;
        RequireOwnOriginAlways(context);
    }

    /// <summary>Marks a result whose credential no browser adds by itself.</summary>
    public static AuthenticationProperties PageCredential() =>
        new(new Dictionary<string, string?>(StringComparer.Ordinal) { [PageCredentialItem] = "" });

    // The result is the one that context.User came from. Schemes of others are known by name only: one that is not listed may rest
    // on a cookie, a client certificate or Negotiate.
    private static bool IsSetByPage(HttpContext context) =>
        context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult is { Succeeded: true, Ticket: { } ticket }
        && (
            ticket.Properties.Items.ContainsKey(PageCredentialItem)
            || context.RequestServices.GetService<IOptions<OriginOptions>>()?.Value.HeaderSchemes.Contains(ticket.AuthenticationScheme)
                == true
        );

    /// <summary>Refuses a cross-origin write whatever its credential: for signing in, which sets a cookie.</summary>
    public static void RequireOwnOriginAlways(HttpContext context)
    {
        if (!IsOwn(context.Request, context.RequestServices.GetService<IOptions<OriginOptions>>()?.Value))
            throw new DunlinException(ErrorCode.OriginRefused, field: HeaderNames.Origin);
    }

    /// <summary>
    /// Refuses a stream that a page of another origin opens with the visitor's cookie. Opening one is a GET that writes: it registers a
    /// device, shows the user as present and takes one of the user's connections; a link of any site can navigate to it.
    /// </summary>
    public static void RequireOwnOriginToStream(HttpContext context)
    {
        if (context.Request.Headers.Cookie.Count > 0 && !IsSetByPage(context))
            RequireOwnOriginAlways(context);
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
            || (
                Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                && string.Equals(uri.Authority, Authority(request, uri), StringComparison.OrdinalIgnoreCase)
            );
    }

    // "example.com:443" and "example.com" are one authority under https.
    private static string Authority(HttpRequest request, Uri origin)
    {
        var host = request.Host;
        return host.Port == origin.Port && origin.IsDefaultPort ? host.Host : host.Value ?? "";
    }
}
