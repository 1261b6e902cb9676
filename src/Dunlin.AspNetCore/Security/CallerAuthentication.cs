using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Security;

/// <summary>Extends endpoints with authentication by Dunlin's scheme.</summary>
public static class CallerAuthentication
{
    /// <summary>Accepts the credentials of <see cref="DunlinAuthentication.Scheme"/> at these endpoints, with any default scheme of the
    /// application.</summary>
    /// <remarks>A user that the application has authenticated stays. Without one, Dunlin's scheme runs if it is registered. The method does
    /// not require a user. Dunlin's own endpoints have it already.</remarks>
    public static TBuilder WithDunlinCaller<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Finally(static endpoint =>
        {
            if (endpoint.RequestDelegate is { } next && !endpoint.Metadata.Any(static item => item is Marked))
            {
                endpoint.Metadata.Add(Marked.Instance);
                endpoint.RequestDelegate = context => InvokeAsync(context, next);
            }
        });
        return builder;
    }

    // Avoids an async state machine when authentication completes synchronously: an open stream would keep it in memory for hours.
    private static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (IsAuthenticated(context.User))
            return next(context);
        var authentication = AuthenticateAsync(context);
        return authentication.IsCompletedSuccessfully ? next(context) : ContinueAsync(authentication, context, next);
    }

    private static async Task ContinueAsync(Task authentication, HttpContext context, RequestDelegate next)
    {
        await authentication;
        await next(context);
    }

    private static async Task AuthenticateAsync(HttpContext context)
    {
        if (
            context.RequestServices.GetService<IAuthenticationSchemeProvider>() is not { } schemes
            || await schemes.GetSchemeAsync(DunlinAuthentication.Scheme) is null
        )
            return;
        // If this scheme is the default one, its handler returns its cached result.
        var result = await context.AuthenticateAsync(DunlinAuthentication.Scheme);
        if (!result.Succeeded)
            return;
        context.User = result.Principal;
        // OriginCheck exempts the credential that authenticated context.User, and no other.
        context.Features.Set<IAuthenticateResultFeature>(new Result { AuthenticateResult = result });
    }

    private static bool IsAuthenticated(ClaimsPrincipal user) => user.Identities.Any(static identity => identity.IsAuthenticated);

    private sealed class Marked
    {
        public static Marked Instance { get; } = new();
    }

    private sealed class Result : IAuthenticateResultFeature
    {
        public AuthenticateResult? AuthenticateResult { get; set; }
    }
}
