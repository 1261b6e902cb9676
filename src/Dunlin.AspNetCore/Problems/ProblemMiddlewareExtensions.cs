using Dunlin.Problems;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Installs problem documents.</summary>
public static class ProblemMiddlewareExtensions
{
    /// <summary>
    /// Answers every error thrown further on, and every empty error status of the API paths, with a problem document.
    /// Put it first; it must come after routing, as it does in a <see cref="WebApplication"/> by itself, to know the
    /// endpoints that write their own.
    /// </summary>
    public static IApplicationBuilder UseDunlinProblems(this IApplicationBuilder app, Action<ProblemOptions>? configure = null)
    {
        var options = new ProblemOptions();
        configure?.Invoke(options);
        return app.UseMiddleware<ProblemMiddleware>(Options.Create(options));
    }
}
