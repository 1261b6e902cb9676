using Dunlin.Security;
using Microsoft.AspNetCore.Identity;

namespace DunlinApp.Accounts;

/// <summary>Registration and sign-in.</summary>
internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder endpoints)
    {
        var accounts = endpoints.MapGroup("/api/accounts");
        accounts.MapIdentityApi<AppUser>(); // login?useCookies=true sets the session cookie
        accounts.MapPost(
            "/logout",
            async (SignInManager<AppUser> signIn) =>
            {
                await signIn.SignOutAsync();
                return Results.NoContent();
            }
        );
        accounts.MapGet("/me", (HttpContext http) => new { http.RequireCaller().UserId, http.RequireCaller().Name });
    }
}
