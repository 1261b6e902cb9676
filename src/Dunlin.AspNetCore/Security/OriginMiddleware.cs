using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Security;

/// <summary>Installs <see cref="OriginOptions"/> in the request pipeline.</summary>
public static class OriginMiddlewareExtensions
{
    /// <summary>
    /// Refuses hosts that are not allowed and, where <see cref="OriginOptions.AllowedOrigins"/> names any, installs the CORS
    /// middleware of ASP.NET Core with a policy of those origins. Put it before everything that may answer. Needs
    /// <c>AddOrigins()</c> or <c>AddTokens()</c>.
    /// </summary>
    /// <remarks>
    /// The policy belongs to this middleware: it replaces none that the application has registered, and an endpoint that names
    /// a policy (<c>RequireCors("name")</c>, <c>[EnableCors("name")]</c>) keeps it. Source: Fetch Standard, CORS protocol.
    /// </remarks>
    public static IApplicationBuilder UseDunlinOrigins(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var options = app.ApplicationServices.GetRequiredService<IOptions<OriginOptions>>().Value;
        var allowed = new AllowedOrigins(options.AllowedOrigins);
        app.UseMiddleware<OriginMiddleware>(allowed, (string[])[.. options.AllowedHosts]);
        return allowed.IsEmpty ? app : app.UseCors(policy => Describe(policy, options, allowed));
    }

    private static void Describe(CorsPolicyBuilder policy, OriginOptions options, AllowedOrigins allowed)
    {
        // Named headers: the wildcard does not cover Authorization.
        policy
            .WithMethods("GET", "POST", "PUT", "PATCH", "DELETE")
            .WithHeaders(
                "Authorization",
                "Content-Type",
                "Last-Event-ID",
                "Dunlin-Connection",
                "Dunlin-Device",
                "Dunlin-User",
                "Dunlin-Lease",
                "If-Match",
                "Idempotency-Key"
            )
            .WithExposedHeaders("Dunlin-Connection", "ETag", "Retry-After")
            .SetPreflightMaxAge(options.PreflightMaxAge);
        if (allowed.IsAny)
            policy.AllowAnyOrigin();
        else
            policy.SetIsOriginAllowed(allowed.Contains);
        if (options.AllowCredentials)
            policy.AllowCredentials();
    }
}

/// <summary>Origins compared byte by byte, as browsers write them. Immutable.</summary>
internal sealed class AllowedOrigins(IEnumerable<string> origins)
{
    private readonly HashSet<string> _origins = new(origins, StringComparer.Ordinal);

    public bool IsEmpty => _origins.Count == 0;

    public bool IsAny => _origins.Contains("*");

    public bool Contains(string origin) => _origins.Contains(origin);
}

/// <summary>
/// Refuses hosts that are not allowed, and adds <c>Vary: Origin</c> to the answers to which the CORS middleware adds no
/// header: a cache would otherwise hand an answer without CORS headers to an allowed origin.
/// </summary>
internal sealed class OriginMiddleware(RequestDelegate next, AllowedOrigins allowed, string[] hosts)
{
    private readonly bool _varies = !allowed.IsEmpty && !allowed.IsAny;

    public Task InvokeAsync(HttpContext context)
    {
        if (hosts.Length > 0 && !Array.Exists(hosts, host => Covers(host, context.Request.Host.Host)))
            return Problem.WriteAsync(
                context,
                new DunlinException(ErrorCode.InvalidField, "This host is not served here.", HeaderNames.Host)
            );
        if (_varies && !allowed.Contains(context.Request.Headers.Origin.ToString()))
            context.Response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
        return next(context);
    }

    private static bool Covers(string allowed, string host) =>
        allowed.StartsWith("*.", StringComparison.Ordinal)
            ? host.Length > allowed.Length - 1 && host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
            : string.Equals(allowed, host, StringComparison.OrdinalIgnoreCase);
}
