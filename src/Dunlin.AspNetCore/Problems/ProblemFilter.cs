using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Problems;

/// <summary>Problem documents for single endpoints or groups, where the middleware is not wanted.</summary>
public static class ProblemFilter
{
    /// <summary>Answers what these endpoints throw with a problem document, with or without
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
