using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dunlin.Access;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Contains the names of Dunlin's authentication scheme.</summary>
public static class DunlinAuthentication
{
    /// <summary>The name of the scheme, and the authentication type of identities from this server's own sessions.</summary>
    public const string Scheme = "Dunlin";

    /// <summary>The authentication type of identities from tokens of a trusted issuer.</summary>
    public const string TrustedIssuerType = "Dunlin.TrustedIssuer";
}

/// <summary>Authenticates by the first credential that is present, in this order: bearer token, session cookie, and ticket if the endpoint
/// accepts tickets. A cookie does not replace an invalid bearer token. A ticket replaces an invalid cookie.</summary>
internal sealed class DunlinAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    TokenValidator tokens,
    Tickets tickets,
    IServiceProvider services
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private const string Refused = "The credential is invalid.";
    private const string Bearer = "Bearer";

    // Null if this server keeps no sessions and all users come from other issuers.
    private readonly ISessionSource? _sessions = services.GetService<ISessionSource>();

    // Null if only the end of a session ends a credential early.
    private readonly Revocations? _revocations = services.GetService<Revocations>();

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        try
        {
            return await AuthenticateCredentialAsync();
        }
        catch (OperationCanceledException) when (Context.RequestAborted.IsCancellationRequested)
        {
            return AuthenticateResult.Fail(Refused);
        }
        catch (Exception exception)
        {
            // GetCaller and the challenge report this fault. Otherwise "your identity cannot be checked now" would look like "you are
            // signed out".
            var known = exception as DunlinException;
            if (known is null)
                SecurityLog.CredentialFailed(Logger, exception);
            Context.Features.Set(new CredentialFault(known ?? new DunlinException(ErrorCode.Internal)));
            return AuthenticateResult.Fail(Refused);
        }
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        Problem.WriteAsync(Context, Context.Features.Get<CredentialFault>()?.Exception ?? new DunlinException(ErrorCode.NotSignedIn));

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problem.WriteAsync(Context, new DunlinException(ErrorCode.Forbidden));

    private async ValueTask<AuthenticateResult> AuthenticateCredentialAsync()
    {
        if (BearerOf() is { } bearer)
            return await OfTokenAsync(bearer);
        if (_sessions?.HasCookie(Request) == true)
        {
            var result = await OfCookieAsync(_sessions);
            // The browser sends a stale cookie automatically, but a page adds a ticket deliberately.
            if (result.Succeeded || TicketOf() is null)
                return result;
        }
        return TicketOf() is { } ticket ? await OfTicketAsync(ticket) : AuthenticateResult.NoResult();
    }

    // An empty bearer credential, or one of several, is invalid. The handler does not fall back to the cookie.
    private string? BearerOf()
    {
        foreach (var value in Request.Headers.Authorization)
        {
            if (
                value is not null
                && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
                && (value.Length == Bearer.Length || value[Bearer.Length] == ' ')
            )
                return Request.Headers.Authorization.Count == 1 ? value[Bearer.Length..].Trim() : "";
        }
        return null;
    }

    private async ValueTask<AuthenticateResult> OfTokenAsync(string token)
    {
        var (fault, identity, isOwn) = await tokens.ValidateAsync(token, Context.RequestAborted);
        if (fault == TokenFault.IssuerUnavailable)
            throw new DunlinException(ErrorCode.IdentityUnavailable);
        if (identity is not null && isOwn)
            identity = await OfOwnTokenAsync(identity);
        if (identity is not null)
            return Success(identity, OriginCheck.PageCredential());
        RefuseToken(fault == TokenFault.None ? TokenFault.SessionEnded : fault);
        return AuthenticateResult.Fail(Refused);
    }

    // The token names the session. The session source returns whether it is still valid, and the current name and roles of its user.
    private async ValueTask<ClaimsIdentity?> OfOwnTokenAsync(ClaimsIdentity identity)
    {
        if (_sessions is null || identity.FindFirst(DunlinClaims.SessionId)?.Value is not { } sessionId)
            return identity;
        return
            await _sessions.FindAsync(sessionId, Context.RequestAborted) is { } live
            && live.UserId == identity.FindFirst(DunlinClaims.UserId)?.Value
            ? DunlinIdentity.Create(live, until: DunlinIdentity.ExpiresAt(identity))
            : null;
    }

    private async ValueTask<AuthenticateResult> OfCookieAsync(ISessionSource sessions)
    {
        if (await sessions.FindByCookieAsync(Context) is not { } live)
        {
            SecurityLog.CookieRefused(Logger);
            Context.Features.Set(new CredentialRefusal("cookie", "sessionEnded"));
            return AuthenticateResult.Fail(Refused);
        }
        OriginCheck.RequireOwnOrigin(Context);
        return Success(DunlinIdentity.Create(live, until: null));
    }

    private async ValueTask<AuthenticateResult> OfTicketAsync(string text)
    {
        var ticket = await tickets.TakeAsync(text, Context.RequestAborted);
        if (ticket is { ChecksSession: true, SessionId: { } sessionId } && _sessions is not null)
        {
            if (await _sessions.FindAsync(sessionId, Context.RequestAborted) is { } live)
                return Success(DunlinIdentity.Create(live, until: ticket.CredentialExpiresAt));
            ticket = null;
        }
        if (ticket is not null)
            return Success(DunlinIdentity.Create(ticket));
        SecurityLog.TicketRefused(Logger);
        Context.Features.Set(new CredentialRefusal("ticket", "unknown"));
        return AuthenticateResult.Fail(Refused);
    }

    private string? TicketOf() =>
        (HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method))
        && Context.GetEndpoint()?.Metadata.GetMetadata<AcceptsTicket>() is not null
        && Request.Query.TryGetValue(UrlCredentials.Ticket, out var ticket)
        && ticket.Count == 1
            ? ticket[0]
            : null;

    private void RefuseToken(TokenFault fault)
    {
        SecurityLog.TokenRefused(Logger, fault);
        Context.Features.Set(new CredentialRefusal("token", JsonNamingPolicy.CamelCase.ConvertName(fault.ToString())));
    }

    private AuthenticateResult Success(ClaimsIdentity identity, AuthenticationProperties? properties = null)
    {
        var userId = identity.FindFirst(DunlinClaims.UserId)!.Value;
        if (
            _revocations is not null
            && _revocations.IsRevoked(userId, identity.FindFirst(DunlinClaims.SessionId)?.Value, DunlinIdentity.IssuedAt(identity))
        )
        {
            RefuseToken(TokenFault.Revoked);
            return AuthenticateResult.Fail(Refused);
        }
        // Also checked here for endpoints that use authorization only and never call GetCaller.
        ActingUser.Require(Request, userId);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), properties, Scheme.Name));
    }
}
