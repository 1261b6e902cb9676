using System.Collections.Frozen;
using System.Security.Claims;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>Reads the caller of a request from <see cref="HttpContext.User"/>.</summary>
/// <remarks>Any ASP.NET Core authentication scheme can replace Dunlin's own. Only the device id and the connection id come from the request
/// itself: they locate a caller and never identify a user.</remarks>
public static class CallerAccess
{
    /// <summary>Request header with the connection id of the page's stream. Its consumers check that the connection belongs to the
    /// caller.</summary>
    public const string ConnectionHeader = "Dunlin-Connection";

    /// <summary>Request header with the id of the browser or device. The query parameters <c>deviceId</c> and <c>device</c> are
    /// equivalent.</summary>
    public const string DeviceHeader = "Dunlin-Device";

    /// <summary>Request header with the percent-encoded id of the user that the page shows. Optional. The query parameter
    /// <c>dunlin-user</c> is equivalent. The server refuses the request if its credential proves another user.</summary>
    public const string UserHeader = ActingUser.Header;

    /// <summary>Returns the caller, or null if nobody is signed in. The first call of a request creates the caller; later calls return the
    /// same one.</summary>
    /// <param name="context">The request.</param>
    /// <exception cref="DunlinException">
    /// <list type="bullet">
    /// <item><see cref="ErrorCode.InvalidField"/>: the device id or connection id is malformed, or the URL contains a long-lived
    /// token.</item>
    /// <item><see cref="ErrorCode.OriginRefused"/>: a page of another origin writes with the user's cookie.</item>
    /// <item><see cref="ErrorCode.UserChanged"/>: the page names another user than the signed-in one.</item>
    /// <item><see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.Internal"/>: the credential could not be checked.</item>
    /// </list>
    /// </exception>
    public static Caller? GetCaller(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Features.Get<CallerFeature>() is { } made && ReferenceEquals(made.Principal, context.User))
            return made.Caller;
        UrlCredentials.RefuseTokens(context.Request);
        if (context.Features.Get<CredentialFault>() is { } fault)
            throw fault.Exception;
        var caller = Make(context);
        if (caller is not null)
        {
            OriginCheck.RequireOwnOrigin(context);
            ActingUser.Require(context.Request, caller.UserId);
        }
        context.Features.Set(new CallerFeature(context.User, caller));
        return caller;
    }

    /// <summary>Returns the caller, and throws if nobody is signed in.</summary>
    /// <param name="context">The request.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotSignedIn"/>: nobody is signed in. Further errors as in
    /// <see cref="GetCaller"/>.</exception>
    public static Caller RequireCaller(this HttpContext context) => GetCaller(context) ?? throw new DunlinException(ErrorCode.NotSignedIn);

    private static Caller? Make(HttpContext context)
    {
        if (context.User.Identities.FirstOrDefault(i => i.IsAuthenticated) is not { } identity)
            return null;
        var userId = Value(identity, DunlinClaims.UserId, ClaimTypes.NameIdentifier);
        if (string.IsNullOrEmpty(userId))
            return null;
        // Only identities of other schemes fail here: Dunlin's own scheme checks the user id when it validates a credential.
        if (UserIds.Fault(userId) is { } fault)
            throw new DunlinException(ErrorCode.InvalidField, fault, DunlinClaims.UserId);
        return new Caller(userId, Value(identity, DunlinClaims.Name, ClaimTypes.Name) ?? identity.Name ?? userId)
        {
            SessionId = Value(identity, DunlinClaims.SessionId, ClaimTypes.Sid),
            ConnectionId = Id(context.Request.Headers[ConnectionHeader], ConnectionHeader),
            DeviceId = Device(context.Request),
            Roles = Roles(identity),
            ExpiresAt =
                DunlinIdentity.ExpiresAt(identity)
                ?? context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties?.ExpiresUtc,
            IssuedAt = DunlinIdentity.IssuedAt(identity),
            Grants = DunlinIdentity.GrantsOf(identity),
            Principal = context.User,
        };
    }

    private static string? Value(ClaimsIdentity identity, string type, string otherType) =>
        identity.FindFirst(type)?.Value ?? identity.FindFirst(otherType)?.Value;

    private static IReadOnlySet<string> Roles(ClaimsIdentity identity)
    {
        HashSet<string>? roles = null; // allocated on demand: most users have no role, and a stream keeps its caller
        foreach (var claim in identity.Claims)
        {
            if (
                claim.Type is DunlinClaims.Role or "role" or ClaimTypes.Role
                || string.Equals(claim.Type, identity.RoleClaimType, StringComparison.Ordinal)
            )
                (roles ??= new(StringComparer.Ordinal)).Add(claim.Value);
        }
        return roles ?? (IReadOnlySet<string>)FrozenSet<string>.Empty;
    }

    private static string? Device(HttpRequest request)
    {
        var (values, field) =
            request.Headers.TryGetValue(DeviceHeader, out var header) ? (header, DeviceHeader)
            : request.Query.TryGetValue("deviceId", out var deviceId) ? (deviceId, "deviceId")
            : (request.Query["device"], "device");
        return Id(values, field);
    }

    private static string? Id(Microsoft.Extensions.Primitives.StringValues values, string field)
    {
        if (values.Count == 0)
            return null;
        var id = values.Count == 1 ? values[0] : null;
        return DeviceId.Check(id, field);
    }

    private sealed record CallerFeature(ClaimsPrincipal Principal, Caller? Caller);
}

/// <summary>Stores for <c>GetCaller</c> why a credential could not be checked, or why it was refused although it is valid.</summary>
internal sealed record CredentialFault(DunlinException Exception);
