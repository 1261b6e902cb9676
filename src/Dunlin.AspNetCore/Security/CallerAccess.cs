using System.Collections.Frozen;
using System.Security.Claims;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>
/// Who asks, made from <see cref="HttpContext.User"/> alone: any ASP.NET Core authentication scheme can stand in for
/// Dunlin's own. Only the device and the connection come from the request, because they say where a caller sits and
/// never who it is.
/// </summary>
public static class CallerAccess
{
    /// <summary>Request header with the id of the page's stream, checked to belong to the caller where it is used.</summary>
    public const string ConnectionHeader = "Dunlin-Connection";

    /// <summary>Request header with the id of the browser or device; <c>deviceId</c> or <c>device</c> in the query says the same.</summary>
    public const string DeviceHeader = "Dunlin-Device";

    /// <summary>
    /// Request header with the id of the user that the page acts for, percent-encoded; <c>dunlin-user</c> in the query says the
    /// same. Another user's credential is refused then. Optional.
    /// </summary>
    public const string UserHeader = ActingUser.Header;

    /// <summary>The caller; null where nobody is signed in. Made once per request.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: the device or connection is not an id, or a long-lived token stands in the address.
    /// <see cref="ErrorCode.OriginRefused"/>: a page of another origin writes with the user's cookie.
    /// <see cref="ErrorCode.UserChanged"/>: the page names another user than the one who is signed in.
    /// <see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.Internal"/>: the credential could not be judged.
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

    /// <summary>The caller.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotSignedIn"/>, or as in <see cref="GetCaller"/>.</exception>
    public static Caller RequireCaller(this HttpContext context) => GetCaller(context) ?? throw new DunlinException(ErrorCode.NotSignedIn);

    private static Caller? Make(HttpContext context)
    {
        if (context.User.Identities.FirstOrDefault(i => i.IsAuthenticated) is not { } identity)
            return null;
        var userId = Value(identity, DunlinClaims.UserId, ClaimTypes.NameIdentifier);
        if (string.IsNullOrEmpty(userId))
            return null;
        // Of another scheme: this one's own credentials are refused for it when they are validated.
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
        HashSet<string>? roles = null; // most have none, and a stream keeps its caller
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

/// <summary>Why a credential could not be judged, or was refused for more than being wrong; kept for whoever asks for the caller.</summary>
internal sealed record CredentialFault(DunlinException Exception);
