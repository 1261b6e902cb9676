using System.Security.Claims;
using System.Text.Json;
using Dunlin.Json;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Why a token was refused: for the log at Debug only. The caller is told one text for all.</summary>
internal enum TokenFault
{
    None,
    Malformed,
    UnknownIssuer,
    WrongType,
    WrongSignature,
    WrongAudience,
    Expired,
    NotYetValid,
    BadClaim,
    SessionEnded,
    Revoked,
}

/// <summary>A token that was believed, or why not.</summary>
/// <param name="Fault">None if it was believed.</param>
/// <param name="Identity">Who it names.</param>
/// <param name="IsOwn">Whether this server issued it, so that its session can be looked up.</param>
internal readonly record struct TokenResult(TokenFault Fault, ClaimsIdentity? Identity, bool IsOwn);

/// <summary>
/// The inner half of a JWT (RFC 7519, RFC 8725): which issuer, proven by that issuer's keys alone, for which audience, and
/// when. Issuer, audience, expiry and subject must be there.
/// </summary>
internal sealed class TokenValidator
{
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 16, AllowDuplicateProperties = false };
    private static readonly string[] DefaultTypes = ["JWT", "at+jwt"];

    private readonly Dictionary<string, Issuer> _issuers;
    private readonly TimeSpan _skew;
    private readonly TimeProvider _time;

    public TokenValidator(IOptions<AccessTokenOptions> options, SigningKeyStore keys, TimeProvider time)
    {
        var value = options.Value;
        _skew = value.ClockSkew;
        _time = time;
        _issuers = value.TrustedIssuers.ToDictionary(
            issuer => issuer.Issuer,
            issuer => new Issuer(issuer.Audience, [.. issuer.ReadKeys().SelectMany(JwsKey.Parse)], issuer.Types.Count > 0 ? [.. issuer.Types] : DefaultTypes, issuer.RolesClaim, issuer.UserIdPrefix, IsOwn: false),
            StringComparer.Ordinal);
        _issuers[value.Issuer] = new Issuer(value.Audience, [keys.Key], ["JWT"], DunlinClaims.Role, "", IsOwn: true);
    }

    public TokenResult Validate(string token)
    {
        if (!JwsVerifier.TryRead(token, out var header, out var payload, out var signature))
            return Refused(TokenFault.Malformed);
        // Claims are kept with leases and sessions, and PostgreSQL keeps no NUL.
        if (JsonText.HoldsNul(payload))
            return Refused(TokenFault.Malformed);
        try
        {
            using var document = JsonDocument.Parse(payload, Json);
            var claims = document.RootElement;
            // The issuer is read before it is proven, but only to choose whose keys must prove it.
            if (claims.ValueKind != JsonValueKind.Object || Text(claims, "iss") is not { } iss || !_issuers.TryGetValue(iss, out var issuer))
                return Refused(TokenFault.UnknownIssuer);
            if (!JwsVerifier.IsSigned(token, header, signature, issuer.Keys))
                return Refused(TokenFault.WrongSignature);
            if (!issuer.Types.Contains(header.Type, StringComparer.OrdinalIgnoreCase))
                return Refused(TokenFault.WrongType);
            return Judge(claims, issuer);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Refused(TokenFault.Malformed);
        }
    }

    private TokenResult Judge(JsonElement claims, Issuer issuer)
    {
        if (!HasAudience(claims, issuer.Audience))
            return Refused(TokenFault.WrongAudience);
        var now = _time.GetUtcNow();
        if (!TryTime(claims, "exp", out var expires) || !TryTime(claims, "nbf", out var notBefore) || !TryTime(claims, "iat", out var issued))
            return Refused(TokenFault.BadClaim);
        if (expires is null || now >= expires + _skew)
            return Refused(TokenFault.Expired);
        if (now < notBefore - _skew || now < issued - _skew)
            return Refused(TokenFault.NotYetValid);
        if (Text(claims, "sub") is not { Length: > 0 } subject || UserIds.Fault(issuer.UserIdPrefix + subject) is not null)
            return Refused(TokenFault.BadClaim);
        // One that cannot be read grants nothing, and is refused so that it is noticed.
        var grants = claims.TryGetProperty(DunlinClaims.Grants, out var claim) ? claim.GetRawText() : null;
        if (grants is not null && !Grants.TryParse(grants, out _))
            return Refused(TokenFault.BadClaim);

        var identity = DunlinIdentity.Create(
            issuer.IsOwn ? DunlinAuthentication.Scheme : DunlinAuthentication.TrustedIssuerType,
            issuer.UserIdPrefix + subject,
            Text(claims, DunlinClaims.Name) ?? Text(claims, "preferred_username") ?? subject,
            Roles(claims, issuer.RolesClaim),
            Text(claims, DunlinClaims.SessionId),
            // Honoured so long, so a stream that it opens may last so long: closing earlier would open it again at once.
            expires.Value + _skew);
        DunlinIdentity.AddIssue(identity, issued, grants);
        if (Text(claims, "jti") is { } id)
            identity.AddClaim(new Claim("jti", id));
        return new TokenResult(TokenFault.None, identity, issuer.IsOwn);
    }

    private static TokenResult Refused(TokenFault fault) => new(fault, null, false);

    private static bool HasAudience(JsonElement claims, string audience) => claims.TryGetProperty("aud", out var value) && value.ValueKind switch
    {
        JsonValueKind.String => value.ValueEquals(audience),
        JsonValueKind.Array => value.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.ValueEquals(audience)),
        _ => false,
    };

    private static List<string> Roles(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out var value))
            return [];
        return value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => [.. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)],
            _ => [],
        };
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // A NumericDate may have a fraction. Absent is null; anything else than a number in range is a fault.
    private static bool TryTime(JsonElement claims, string name, out DateTimeOffset? time)
    {
        const double latest = 253_402_300_000; // shortly before the year 10000, with room for the skew
        time = null;
        if (!claims.TryGetProperty(name, out var value))
            return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 60 and < latest - 60))
            return false;
        time = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    private sealed record Issuer(string Audience, IReadOnlyList<JwsKey> Keys, string[] Types, string RolesClaim, string UserIdPrefix, bool IsOwn);
}
