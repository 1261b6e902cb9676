using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Identity;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the endpoints for signing in and out.</summary>
public static class AccountEndpoints
{
    private const int MaxLoginBytes = 4 * 1024;

    /// <summary>Maps <c>POST login</c>, <c>POST refresh</c>, <c>POST logout</c>, <c>GET status</c> and <c>POST ticket</c> below
    /// <paramref name="prefix"/>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="prefix">The path prefix. Default: <c>/api/v1/auth</c>.</param>
    /// <returns>A builder for conventions that apply to these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddAccounts()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDunlinAccounts(this IEndpointRouteBuilder endpoints, string prefix = "/api/v1/auth")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<IAccounts>() is null)
            throw new InvalidOperationException("Call builder.Services.AddDunlin().AddAccounts() before app.MapDunlinAccounts().");
        var group = endpoints.MapGroup(prefix).WithTags("Signing in").WithDunlinProblems().WithHead().WithDunlinCaller();
        group
            .MapPost("login", (Delegate)LoginAsync)
            .Accepts<LoginRequest>("application/json")
            .Produces<LoginAnswer>()
            .WithSummary("Sign in with user name and password.");
        group
            .MapPost("refresh", (Delegate)RefreshAsync)
            .Produces<LoginAnswer>()
            .WithSummary("A new access token, from the session cookie.");
        group
            .MapPost("logout", (Delegate)LogoutAsync)
            .Produces(StatusCodes.Status204NoContent)
            .WithSummary("End the session, its streams and its leases.");
        group.MapGet("status", Status).Produces<StatusAnswer>().WithSummary("Who is signed in.");
        TicketEndpoints.MapTicket(group);
        return group;
    }

    private static async Task<IResult> LoginAsync(HttpContext context)
    {
        OriginCheck.RequireOwnOriginAlways(context);
        var request = await RequestBody.ReadAsync<LoginRequest>(context, MaxLoginBytes, context.RequestAborted);
        var username = request.Username.Trim(); // user names have no surrounding spaces, but on-screen keyboards append one
        RequireLength(username, AccountNameValidator.MaxLength, "username");
        RequireLength(request.Password, PasswordLengthValidator.MaxLength, "password");

        var services = context.RequestServices;
        var account = await services
            .GetRequiredService<PasswordSignIn>()
            .SignInAsync(username, request.Password, context.Connection.RemoteIpAddress, context.RequestAborted);

        var sessions = services.GetRequiredService<Sessions>();
        // If another user was signed in in this browser, that session ends now. Otherwise its streams would continue behind the new user's
        // page.
        var cookie = services.GetRequiredService<SessionCookie>();
        if (await cookie.FindAsync(context) is { } before && before.Account.UserId != account.UserId)
            await sessions.EndAsync(before.Account.UserId, before.Session.SessionId, "replaced", context.RequestAborted);
        var (session, secret) = await sessions.BeginAsync(account, context.Request.Headers.UserAgent, context.RequestAborted);
        cookie.Set(context, session, secret);
        return Answer(context, LoginAnswerFor(services, account, session), AccountJson.Default.LoginAnswer);
    }

    // Only the cookie refreshes a session, so a leaked token is valid no longer than its lifetime.
    private static async Task<IResult> RefreshAsync(HttpContext context)
    {
        // An invalid token is not replaced by a cookie, and the token of one session does not refresh another.
        if (
            context.GetCaller() is not { } caller
            || await context.RequestServices.GetRequiredService<SessionCookie>().FindAsync(context) is not { } live
            || live.Session.SessionId != caller.SessionId
        )
            throw new DunlinException(ErrorCode.NotSignedIn);
        OriginCheck.RequireOwnOriginAlways(context);
        return Answer(context, LoginAnswerFor(context.RequestServices, live.Account, live.Session), AccountJson.Default.LoginAnswer);
    }

    // Signing out twice is no error. If the cookie belongs to another session than the token, that session ends too, because the browser
    // deletes its cookie.
    private static async Task<IResult> LogoutAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var sessions = services.GetRequiredService<Sessions>();
        var caller = context.GetCaller();
        var cookie = services.GetRequiredService<SessionCookie>();
        // Looked up before the session ends: afterwards nothing shows that this server issued the cookie.
        var live = await cookie.FindAsync(context);
        // The cookie's session ends too, so a token that authenticates the request does not exempt it from the origin check.
        if (cookie.IsIn(context.Request))
            OriginCheck.RequireOwnOriginAlways(context);
        if (caller is { SessionId: { } sessionId, Principal.Identity.AuthenticationType: DunlinAuthentication.Scheme })
            await sessions.EndAsync(caller.UserId, sessionId, "signed_out", context.RequestAborted);
        if (live is not null && live.Session.SessionId != caller?.SessionId)
            await sessions.EndAsync(live.Account.UserId, live.Session.SessionId, "signed_out", context.RequestAborted);
        if (live is not null)
            cookie.Clear(context);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.NoContent();
    }

    private static IResult Status(HttpContext context) =>
        Answer(
            context,
            context.GetCaller() is { } caller
                ? new StatusAnswer(
                    SignedIn: true,
                    caller.UserId,
                    caller.Name,
                    [.. caller.Roles.Order(StringComparer.Ordinal)],
                    caller.SessionId,
                    caller.ExpiresAt
                )
                : new StatusAnswer(SignedIn: false, null, null, null, null, null),
            AccountJson.Default.StatusAnswer
        );

    private static LoginAnswer LoginAnswerFor(IServiceProvider services, AccountRow account, Dunlin.Accounts.SessionRow session)
    {
        var (token, lifetime) = services.GetRequiredService<TokenIssuer>().Issue(account, session);
        return new LoginAnswer(
            account.UserId,
            account.Username,
            account.FullName,
            account.Roles,
            session.SessionId,
            token,
            (int)lifetime.TotalSeconds
        );
    }

    // Uses the member names of the contract instead of the naming policy of the application.
    private static IResult Answer<T>(HttpContext context, T answer, JsonTypeInfo<T> json)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(answer, json);
    }

    private static void RequireLength(string value, int longest, string field)
    {
        if (value.Length == 0 || value.Length > longest)
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have 1 to {longest} characters.", field);
    }

    internal sealed record LoginRequest(
        [property: JsonPropertyName("username")] string Username,
        [property: JsonPropertyName("password")] string Password
    );

    internal sealed record LoginAnswer(
        string UserId,
        string Username,
        string FullName,
        IReadOnlyList<string> Roles,
        string SessionId,
        string AccessToken,
        int ExpiresIn
    );

    internal sealed record StatusAnswer(
        bool SignedIn,
        string? UserId,
        string? FullName,
        IReadOnlyList<string>? Roles,
        string? SessionId,
        DateTimeOffset? ExpiresAt
    );
}
