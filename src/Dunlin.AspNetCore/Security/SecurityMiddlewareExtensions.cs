using Dunlin.Problems;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Installs all of this folder in the one order that is right.</summary>
public static class SecurityMiddlewareExtensions
{
    /// <summary>
    /// Origins, problem documents, authentication and, where it is registered, authorisation. Put it before what may answer.
    /// A <c>WebApplication</c> would otherwise put authentication and authorisation before everything else, and what they
    /// refuse would lack its CORS headers: a page could not read why.
    /// </summary>
    public static IApplicationBuilder UseDunlinSecurity(this IApplicationBuilder app, Action<ProblemOptions>? problems = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseDunlinOrigins().UseDunlinProblems(problems).UseAuthentication();
        return app.ApplicationServices.GetService<IAuthorizationHandlerProvider>() is null ? app : app.UseAuthorization();
    }
}
