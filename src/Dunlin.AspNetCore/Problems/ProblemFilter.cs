using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Problems;

/// <summary>Extends endpoints and groups with problem documents, for applications without the middleware.</summary>
public static class ProblemFilter
{
    /// <summary>Adds a filter that turns exceptions of these endpoints into problem documents. It works with or without
    /// <see cref="ProblemMiddlewareExtensions.UseDunlinProblems"/>.</summary>
    public static TBuilder WithDunlinProblems<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(
            static async (invocation, next) =>
            {
                try
                {
                    return await next(invocation);
                }
                catch (Exception exception) when (!invocation.HttpContext.RequestAborted.IsCancellationRequested)
                {
                    await Problem.WriteAsync(invocation.HttpContext, exception);
                    return Results.Empty;
                }
            }
        );
}
