using System.Security.Claims;
using Microsoft.AspNetCore.Builder;

namespace Dunlin.TestKit;

/// <summary>Authenticates test requests by the header <c>X-User</c>, as <c>name</c> or <c>name:session</c>. Never add it to an application
/// that others can reach.</summary>
public static class TestUsers
{
    /// <summary>The request header with the user.</summary>
    public const string Header = "X-User";

    /// <summary>Signs in the user of the header.</summary>
    /// <param name="app">The application.</param>
    /// <returns>The same application.</returns>
    /// <remarks>The claims are <c>sub</c>, <c>name</c> (the id in upper case, so that tests can tell them apart), <c>sid</c> if a session
    /// is given, and the role <c>admin</c> for the user <c>admin</c>. A request without the header has no user.</remarks>
    public static IApplicationBuilder UseTestUsers(this IApplicationBuilder app) => app.UseTestUsers(Principal);

    /// <summary>Signs in the principal that a function creates from the value of the header.</summary>
    /// <param name="app">The application.</param>
    /// <param name="principal">Creates the principal.</param>
    /// <returns>The same application.</returns>
    public static IApplicationBuilder UseTestUsers(this IApplicationBuilder app, Func<string, ClaimsPrincipal> principal) =>
        app.Use(
            (context, next) =>
            {
                if ((string?)context.Request.Headers[Header] is { Length: > 0 } user)
                    context.User = principal(user);
                return next(context);
            }
        );

    private static ClaimsPrincipal Principal(string user)
    {
        var parts = user.Split(':');
        var claims = new List<Claim> { new("sub", parts[0]), new("name", parts[0].ToUpperInvariant()) };
        if (parts.Length > 1)
            claims.Add(new Claim("sid", parts[1]));
        if (parts[0] == "admin")
            claims.Add(new Claim("roles", "admin"));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));
    }
}
