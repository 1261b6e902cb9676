using System.Security.Claims;
using Microsoft.AspNetCore.Builder;

namespace Dunlin.TestKit;

/// <summary>
/// Authentication for tests: a request names its user in the header <c>X-User</c>, as <c>name</c> or <c>name:session</c>. Never add it
/// to an application that others can reach.
/// </summary>
public static class TestUsers
{
    /// <summary>The header that names the user of a request.</summary>
    public const string Header = "X-User";

    /// <summary>
    /// Signs in the user that the header names: claims <c>sub</c>, <c>name</c> (in capitals, so that a test tells it from the id),
    /// <c>sid</c> where a session is named, and the role <c>admin</c> for the user <c>admin</c>. Without the header nobody is signed in.
    /// </summary>
    public static IApplicationBuilder UseTestUsers(this IApplicationBuilder app) => app.UseTestUsers(Principal);

    /// <summary>Signs in whom a function makes of the header's value.</summary>
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
