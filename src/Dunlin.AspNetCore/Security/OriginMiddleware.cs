using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Security;

/// <summary>Installs what <see cref="OriginOptions"/> says.</summary>
public static class OriginMiddlewareExtensions
{
    /// <summary>Answers preflights of allowed origins, adds CORS headers for them and for no others, and refuses hosts that
    /// are not allowed. Put it before everything that may answer. Needs <c>AddOrigins()</c> or <c>AddAccounts()</c>.</summary>
    public static IApplicationBuilder UseDunlinOrigins(this IApplicationBuilder app) =>
        app.UseMiddleware<OriginMiddleware>(app.ApplicationServices.GetRequiredService<IOptions<OriginOptions>>());
}

/// <summary>
/// CORS by named headers: <c>Authorization</c> is covered by no wildcard, and an answer that depends on <c>Origin</c> says so
/// in <c>Vary</c> also where the origin is not allowed, or a cache would hand one origin's answer to another. Holds no
/// frame of its own while a stream is open.
/// </summary>
internal sealed class OriginMiddleware
{
    private const string Methods = "GET, POST, PUT, PATCH, DELETE";
    private const string RequestHeaders =
        "Authorization, Content-Type, Last-Event-ID, Dunlin-Connection, Dunlin-Device, Dunlin-User, Dunlin-Lease, If-Match, Idempotency-Key";
    private const string ResponseHeaders = "Dunlin-Connection, ETag, Retry-After";

    private readonly RequestDelegate _next;
    private readonly HashSet<string> _origins;
    private readonly bool _any;
    private readonly bool _credentials;
    private readonly string _maxAge;
    private readonly string[] _hosts;

    public OriginMiddleware(RequestDelegate next, IOptions<OriginOptions> options)
    {
        var value = options.Value;
        _next = next;
        _origins = new(value.AllowedOrigins, StringComparer.Ordinal);
        _any = _origins.Contains("*");
        _credentials = value.AllowCredentials;
        _maxAge = ((long)value.PreflightMaxAge.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        _hosts = [.. value.AllowedHosts];
    }

    public Task InvokeAsync(HttpContext context)
    {
        if (_hosts.Length > 0 && !Array.Exists(_hosts, host => Covers(host, context.Request.Host.Host)))
            return Problem.WriteAsync(context, new DunlinException(ErrorCode.InvalidField, "This host is not served here.", HeaderNames.Host));
        if (_origins.Count == 0)
            return _next(context);

        var headers = context.Response.Headers;
        var origin = context.Request.Headers.Origin.ToString();
        if (!_any)
            headers.Append(HeaderNames.Vary, HeaderNames.Origin);
        if (origin.Length == 0 || !(_any || _origins.Contains(origin)))
            return _next(context);
        headers.AccessControlAllowOrigin = _any ? "*" : origin;
        if (_credentials)
            headers.AccessControlAllowCredentials = "true";
        if (!IsPreflight(context.Request))
        {
            headers.AccessControlExposeHeaders = ResponseHeaders;
            return _next(context);
        }
        headers.AccessControlAllowMethods = Methods;
        headers.AccessControlAllowHeaders = RequestHeaders;
        headers.AccessControlMaxAge = _maxAge;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0;

    private static bool Covers(string allowed, string host) => allowed.StartsWith("*.", StringComparison.Ordinal)
        ? host.Length > allowed.Length - 1 && host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
        : string.Equals(allowed, host, StringComparison.OrdinalIgnoreCase);
}
