using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Security;

/// <summary>Authenticates requests by Dunlin's scheme where the application's default scheme has found nobody.</summary>
public static class CallerAuthentication
{
    /// <summary>
    /// Lets endpoints accept the credentials of <see cref="DunlinAuthentication.Scheme"/>, whatever the application's default scheme is: a
    /// user that the application has authenticated stays, and without one Dunlin's scheme is asked where it is registered. Dunlin's
    /// own endpoints do this already. It does not require a user.
    /// </summary>
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

    // Without a frame of its own where the credential is judged without waiting: a stream may keep it for hours.
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
        // Cached by the handler where this scheme was the default one.
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
