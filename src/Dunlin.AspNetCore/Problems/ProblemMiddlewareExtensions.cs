using Dunlin.Problems;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IApplicationBuilder"/> with problem documents.</summary>
public static class ProblemMiddlewareExtensions
{
    /// <summary>Adds middleware that writes a problem document for each exception of later middleware and for each empty error response
    /// below the API paths.</summary>
    /// <param name="app">The application.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same application.</returns>
    /// <remarks>Add this first, but after routing: it reads the metadata of the endpoint to find endpoints that write their own problems. A
    /// <see cref="WebApplication"/> adds routing before all other middleware.</remarks>
    public static IApplicationBuilder UseDunlinProblems(this IApplicationBuilder app, Action<ProblemOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        configure?.Invoke(app.ApplicationServices.GetRequiredService<IOptions<ProblemOptions>>().Value);
        return app.UseMiddleware<ProblemMiddleware>();
    }
}
