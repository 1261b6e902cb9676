using Dunlin.Problems;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Installs problem documents.</summary>
public static class ProblemMiddlewareExtensions
{
    /// <summary>
    /// Adds the middleware that answers exceptions, and error statuses without a body under
    /// <see cref="ProblemOptions.ApiPaths"/>, with a problem document. Put it first, but after routing (a
    /// <see cref="WebApplication"/> does so by default): endpoints that write their own problem documents are skipped.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <param name="configure">Changes the application's <see cref="ProblemOptions"/>.</param>
    public static IApplicationBuilder UseDunlinProblems(this IApplicationBuilder app, Action<ProblemOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        configure?.Invoke(app.ApplicationServices.GetRequiredService<IOptions<ProblemOptions>>().Value);
        return app.UseMiddleware<ProblemMiddleware>();
    }
}
