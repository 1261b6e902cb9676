using Dunlin.Problems;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IApplicationBuilder"/> with the security middleware.</summary>
public static class SecurityMiddlewareExtensions
{
    /// <summary>Adds the security middleware in the required order: origins, problem documents, authentication, and authorization if it is
    /// registered.</summary>
    /// <param name="app">The application.</param>
    /// <param name="problems">Sets options of problem documents.</param>
    /// <returns>The same application.</returns>
    /// <remarks>Add this before all middleware that writes responses. By default a <c>WebApplication</c> runs authentication and
    /// authorization first. Their error responses would then lack CORS headers, and a page could not read them.</remarks>
    public static IApplicationBuilder UseDunlinSecurity(this IApplicationBuilder app, Action<ProblemOptions>? problems = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseDunlinOrigins().UseDunlinProblems(problems).UseAuthentication();
        return app.ApplicationServices.GetService<IAuthorizationHandlerProvider>() is null ? app : app.UseAuthorization();
    }
}
