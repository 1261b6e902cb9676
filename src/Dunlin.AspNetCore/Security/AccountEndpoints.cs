using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Security;

/// <summary>The calls for signing in and out.</summary>
public static class AccountEndpoints
{
    private const int MaxLoginBytes = 4 * 1024;

    /// <summary>
    /// Maps <c>POST login</c>, <c>POST refresh</c>, <c>POST logout</c>, <c>GET status</c> and <c>POST ticket</c> below
    /// <paramref name="prefix"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>AddAccounts()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDunlinAccounts(this IEndpointRouteBuilder endpoints, string prefix = "/api/v1/auth")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<IAccounts>() is null)
            throw new InvalidOperationException("MapDunlinAccounts() needs AddDunlin().AddAccounts() on the services.");
        var group = endpoints.MapGroup(prefix).WithTags("Signing in").WithDunlinProblems();
        group.MapPost("login", (Delegate)LoginAsync).Accepts<LoginRequest>("application/json").Produces<LoginAnswer>().WithSummary("Sign in with user name and password.");
        group.MapPost("refresh", (Delegate)RefreshAsync).Produces<LoginAnswer>().WithSummary("A new access token, from the session cookie or a token still valid.");
        group.MapPost("logout", (Delegate)LogoutAsync).Produces(StatusCodes.Status204NoContent).WithSummary("End the session, its streams and its leases.");
        group.MapGet("status", Status).Produces<StatusAnswer>().WithSummary("Who is signed in.");
        MapTicket(group);
        return group;
    }

    /// <summary>Maps <c>POST ticket</c> alone below <paramref name="prefix"/>, where no accounts are kept here and tokens come from elsewhere.</summary>
    /// <exception cref="InvalidOperationException"><c>AddTokens()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDunlinTickets(this IEndpointRouteBuilder endpoints, string prefix = "/api/v1/auth")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<Tickets>() is null)
            throw new InvalidOperationException("MapDunlinTickets() needs AddDunlin().AddTokens() on the services.");
        var group = endpoints.MapGroup(prefix).WithTags("Signing in").WithDunlinProblems();
        MapTicket(group);
        return group;
    }

    private static void MapTicket(RouteGroupBuilder group) =>
        group.MapPost("ticket", (Delegate)TicketAsync).Produces<TicketAnswer>().WithSummary("A single-use ticket for a stream that cannot send headers.");

    private static async Task<IResult> LoginAsync(HttpContext context)
    {
        OriginCheck.RequireOwnOriginAlways(context);
        var request = await RequestBody.ReadAsync<LoginRequest>(context, MaxLoginBytes, context.RequestAborted);
        RequireLength(request.Username, PasswordAccounts.MaxNameLength, "username");
        RequireLength(request.Password, PasswordAccounts.MaxPasswordLength, "password");

        var services = context.RequestServices;
        var throttle = services.GetRequiredService<SignInThrottle>();
        var address = context.Connection.RemoteIpAddress;
        if (throttle.Begin(request.Username, address) is { } wait)
        {
            SecurityLog.SignInSlowed(Log(services), $"{address}", (long)Math.Ceiling(wait.TotalSeconds));
            throw new DunlinException(ErrorCode.TooManyRequests, "Too many failed sign-ins.") { RetryAfter = wait };
        }
        if (await services.GetRequiredService<IAccounts>().CheckPasswordAsync(request.Username, request.Password, context.RequestAborted) is not { } account)
        {
            SecurityLog.SignInFailed(Log(services), $"{address}");
            throw new DunlinException(ErrorCode.InvalidCredentials);
        }
        throttle.Succeeded(request.Username, address);

        var sessions = services.GetRequiredService<Sessions>();
        // Someone else was signed in in this browser: that ends now, or their streams would go on behind the new user's page.
        if (await SessionCookie.FindAsync(context, services.GetRequiredService<SessionCache>()) is { } before && before.Account.UserId != account.UserId)
            await sessions.EndAsync(before.Account.UserId, before.Session.SessionId, "replaced", context.RequestAborted);
        var (session, secret) = await sessions.BeginAsync(account, context.Request.Headers.UserAgent, context.RequestAborted);
        SessionCookie.Set(context, session, secret);
        return Answer(context, LoginAnswerFor(services, account, session));
    }

    private static async Task<IResult> RefreshAsync(HttpContext context)
    {
        var caller = context.GetCaller();
        if (caller is null && context.Request.Headers.Authorization.Count == 0)
            SessionCookie.Clear(context); // it opens nothing any more
        if (caller is not { SessionId: { } sessionId, Principal.Identity.AuthenticationType: DunlinAuthentication.Scheme }
            || await context.RequestServices.GetRequiredService<SessionCache>().FindAsync(sessionId, context.RequestAborted) is not { } live)
            throw new DunlinException(ErrorCode.NotSignedIn);
        return Answer(context, LoginAnswerFor(context.RequestServices, live.Account, live.Session));
    }

    // Signing out twice is no error. The cookie's session ends too, if it is another one than the token's: the browser forgets it.
    private static async Task<IResult> LogoutAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var sessions = services.GetRequiredService<Sessions>();
        var caller = context.GetCaller();
        OriginCheck.RequireOwnOrigin(context);
        if (caller is { SessionId: { } sessionId, Principal.Identity.AuthenticationType: DunlinAuthentication.Scheme })
            await sessions.EndAsync(caller.UserId, sessionId, "signed_out", context.RequestAborted);
        if (await SessionCookie.FindAsync(context, services.GetRequiredService<SessionCache>()) is { } live && live.Session.SessionId != caller?.SessionId)
            await sessions.EndAsync(live.Account.UserId, live.Session.SessionId, "signed_out", context.RequestAborted);
        SessionCookie.Clear(context);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.NoContent();
    }

    private static IResult Status(HttpContext context) => Answer(context, context.GetCaller() is { } caller
        ? new StatusAnswer(SignedIn: true, caller.UserId, caller.Name, [.. caller.Roles.Order(StringComparer.Ordinal)], caller.SessionId, caller.ExpiresAt)
        : new StatusAnswer(SignedIn: false, null, null, null, null, null));

    private static async Task<IResult> TicketAsync(HttpContext context)
    {
        var ticket = await context.RequestServices.GetRequiredService<Tickets>().IssueAsync(context.RequireCaller(), context.RequestAborted);
        return Answer(context, new TicketAnswer(ticket, (int)Tickets.Lifetime.TotalSeconds));
    }

    private static LoginAnswer LoginAnswerFor(IServiceProvider services, Account account, Session session)
    {
        var (token, lifetime) = services.GetRequiredService<TokenIssuer>().Issue(account, session);
        return new LoginAnswer(account.UserId, account.Username, account.FullName, account.Roles, session.SessionId, token, (int)lifetime.TotalSeconds);
    }

    // The contract's names, however the application names its own members.
    private static IResult Answer<T>(HttpContext context, T answer)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(answer, JsonSerializerOptions.Web);
    }

    private static void RequireLength(string value, int longest, string field)
    {
        if (value.Length == 0 || value.Length > longest)
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' has 1 to {longest} characters.", field);
    }

    private static ILogger Log(IServiceProvider services) => services.GetRequiredService<ILoggerFactory>().CreateLogger("Dunlin.Security");

    private sealed record LoginRequest(
        [property: JsonPropertyName("username")] string Username,
        [property: JsonPropertyName("password")] string Password);

    private sealed record LoginAnswer(
        string UserId, string Username, string FullName, IReadOnlyList<string> Roles, string SessionId, string AccessToken, int ExpiresIn);

    private sealed record StatusAnswer(
        bool SignedIn, string? UserId, string? FullName, IReadOnlyList<string>? Roles, string? SessionId, DateTimeOffset? ExpiresAt);

    private sealed record TicketAnswer(string Ticket, int ExpiresIn);
}
