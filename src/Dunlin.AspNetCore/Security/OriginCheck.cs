using Dunlin.Diagnostics;
using Dunlin.Sse;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Security;

/// <summary>Protects writes that carry a visitor's cookie from pages of other origins (cross-site request forgery).</summary>
/// <remarks>
/// A browser attaches cookies to every request, so a write with a cookie must come from the site itself or from an allowed origin.
/// <c>Sec-Fetch-Site</c> (Fetch Metadata) tells the origin. Older browsers send <c>Origin</c> only, which is compared by host because a
/// proxy may terminate TLS. A request with neither header comes from no page of another site: each browser sends <c>Origin</c> with a
/// cross-origin write.
/// <para>
/// A request is exempt only if the credential that authenticated it is one that a page must set in code. The mere presence of an
/// <c>Authorization</c> header is not enough, because a cookie beside it may be the credential that authenticated.
/// </para>
/// </remarks>
internal static class OriginCheck
{
    private const string PageCredentialItem = ".dunlin.page";

    /// <summary>Throws on a cross-origin write whose credential is a cookie, or may be one.</summary>
    public static void RequireOwnOrigin(HttpContext context)
    {
        if (IsSafe(context.Request.Method) || context.Request.Headers.Cookie.Count == 0 || IsSetByPage(context))
            return;
        RequireOwnOriginAlways(context);
    }

    /// <summary>Returns properties that mark a credential which no browser attaches automatically.</summary>
    public static AuthenticationProperties PageCredential() =>
        new(new Dictionary<string, string?>(StringComparer.Ordinal) { [PageCredentialItem] = "" });

    // The result is the one that set context.User. Other schemes are recognised by name only: a scheme that is not listed may use a cookie,
    // a client certificate or Negotiate.
    private static bool IsSetByPage(HttpContext context) =>
        context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult is { Succeeded: true, Ticket: { } ticket }
        && (
            ticket.Properties.Items.ContainsKey(PageCredentialItem)
            || context.RequestServices.GetService<IOptions<OriginOptions>>()?.Value.HeaderSchemes.Contains(ticket.AuthenticationScheme)
                == true
        );

    /// <summary>Throws on a cross-origin write with any credential. For sign-in, which sets a cookie.</summary>
    public static void RequireOwnOriginAlways(HttpContext context)
    {
        if (!IsOwn(context.Request, context.RequestServices.GetService<IOptions<OriginOptions>>()?.Value))
            throw new DunlinException(ErrorCode.OriginRefused, field: HeaderNames.Origin);
    }

    /// <summary>Throws if a page of another origin opens a stream with the visitor's cookie.</summary>
    /// <remarks>Opening a stream is a GET with effects: it registers a device, shows the user as present, and takes one of the user's
    /// connections. A link on any site can navigate to it.</remarks>
    public static void RequireOwnOriginToStream(HttpContext context)
    {
        if (context.Request.Headers.Cookie.Count > 0 && !IsSetByPage(context))
            RequireOwnOriginAlways(context);
        else if (WebSocketHandshake.IsRequested(context.Request) && !IsAllowedForSocket(context))
            throw new DunlinException(ErrorCode.OriginRefused, field: HeaderNames.Origin);
    }

    // RFC 6455, section 10.2. Browsers apply CORS to no WebSocket, so the server must refuse pages of other origins.
    private static bool IsAllowedForSocket(HttpContext context)
    {
        var origin = context.Request.Headers[HeaderNames.Origin].ToString();
        return origin.Length == 0
            || IsOfOwnPage(context.Request, origin)
            || context.RequestServices.GetService<IOptions<OriginOptions>>()?.Value.AllowedOrigins.Contains(origin) == true;
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
        return site.Length == 0 && (origin.Length == 0 || HasOwnHost(request, origin));
    }

    /// <summary>Returns whether a request with <c>Origin</c> comes from a page of this server, so that no CORS header is needed.</summary>
    public static bool IsOfOwnPage(HttpRequest request, string origin) =>
        request.Headers["Sec-Fetch-Site"].ToString() == "same-origin" || HasOwnHost(request, origin);

    private static bool HasOwnHost(HttpRequest request, string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(uri.Authority, Authority(request, uri), StringComparison.OrdinalIgnoreCase);

    // "example.com:443" and "example.com" are the same authority under https.
    private static string Authority(HttpRequest request, Uri origin)
    {
        var host = request.Host;
        return host.Port == origin.Port && origin.IsDefaultPort ? host.Host : host.Value ?? "";
    }
}
