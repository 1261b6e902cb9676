using Dunlin.Security;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

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
