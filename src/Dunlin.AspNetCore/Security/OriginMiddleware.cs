using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Security;

/// <summary>A set of origins, compared byte by byte in the form that browsers send. Immutable.</summary>
internal sealed class AllowedOrigins(IEnumerable<string> origins)
{
    private readonly HashSet<string> _origins = new(origins, StringComparer.Ordinal);

    public bool IsEmpty => _origins.Count == 0;

    public bool IsAny => _origins.Contains("*");

    public bool Contains(string origin) => _origins.Contains(origin);
}

/// <summary>Refuses hosts that are not allowed, and adds <c>Vary: Origin</c> to responses without CORS headers. Without <c>Vary</c>, a
/// cache could serve such a response to an allowed origin.</summary>
internal sealed class OriginMiddleware(
    RequestDelegate next,
    AllowedOrigins allowed,
    string[] hosts,
    IEnumerable<IRefusalObserver> observers
)
{
    private readonly IRefusalObserver[] _observers = [.. observers];

    private readonly bool _varies = !allowed.IsEmpty && !allowed.IsAny;

    public Task InvokeAsync(HttpContext context)
    {
        if (hosts.Length > 0 && !Array.Exists(hosts, host => Covers(host, context.Request.Host.Host)))
            return Problem.WriteAsync(
                context,
                new DunlinException(
                    ErrorCode.InvalidField,
                    $"The host '{context.Request.Host.Host}' is not in OriginOptions.AllowedHosts.",
                    HeaderNames.Host
                )
            );
        if (_observers.Length > 0)
            ReportRefusal(context);
        if (_varies && !allowed.Contains(context.Request.Headers.Origin.ToString()))
            context.Response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
        return next(context);
    }

    private void ReportRefusal(HttpContext context)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || allowed.IsAny || allowed.Contains(origin) || OriginCheck.IsOfOwnPage(context.Request, origin))
            return;
        foreach (var observer in _observers)
            observer.OnOriginRefused(context, origin);
    }

    private static bool Covers(string allowed, string host) =>
        allowed.StartsWith("*.", StringComparison.Ordinal)
            ? host.Length > allowed.Length - 1 && host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
            : string.Equals(allowed, host, StringComparison.OrdinalIgnoreCase);
}
