using Dunlin.Security;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IApplicationBuilder"/> with the middleware of <see cref="OriginOptions"/>.</summary>
public static class OriginMiddlewareExtensions
{
    /// <summary>Adds middleware that refuses hosts that are not allowed. If <see cref="OriginOptions.AllowedOrigins"/> is not empty, also
    /// adds the CORS middleware of ASP.NET Core with a policy of those origins.</summary>
    /// <param name="app">The application.</param>
    /// <returns>The same application.</returns>
    /// <remarks>Add this before all middleware that writes responses. It needs <c>AddOrigins()</c> or <c>AddTokens()</c>. The policy
    /// belongs to this middleware and replaces no policy of the application. An endpoint that names a policy (<c>RequireCors("name")</c>,
    /// <c>[EnableCors("name")]</c>) keeps it. Source: Fetch Standard, CORS protocol.</remarks>
    public static IApplicationBuilder UseDunlinOrigins(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var options = app.ApplicationServices.GetRequiredService<IOptions<OriginOptions>>().Value;
        var allowed = new AllowedOrigins(options.AllowedOrigins);
        app.UseMiddleware<OriginMiddleware>(allowed, (string[])[.. options.AllowedHosts]);
        return allowed.IsEmpty ? app : app.UseCors(policy => Describe(policy, options, allowed));
    }

    /// <summary>Describes what pages of the allowed origins may do. A protocol adds its own headers.</summary>
    internal static void Describe(CorsPolicyBuilder policy, OriginOptions options, AllowedOrigins allowed)
    {
        // The header names are listed because the wildcard does not include Authorization (Fetch Standard, CORS protocol).
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
