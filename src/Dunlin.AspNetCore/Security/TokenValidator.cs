using System.Security.Claims;
using System.Text.Json;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.Security;

/// <summary>The reason why a token was refused. It is logged at Debug only: all refused callers receive the same text.</summary>
internal enum TokenFault
{
    None,
    Malformed,
    UnknownIssuer,
    IssuerUnavailable,
    WrongType,
    WrongSignature,
    WrongAudience,
    Expired,
    NotYetValid,
    BadClaim,
    SessionEnded,
    Revoked,
}

/// <summary>The result of validating a token.</summary>
/// <param name="Fault"><see cref="TokenFault.None"/> for a valid token.</param>
/// <param name="Identity">The identity of a valid token.</param>
/// <param name="IsOwn">Whether this server issued the token and can look up its session.</param>
internal readonly record struct TokenResult(TokenFault Fault, ClaimsIdentity? Identity, bool IsOwn);

/// <summary>Validates access tokens (RFC 7519, RFC 8725). Thread-safe.</summary>
/// <remarks><see cref="StrictTokenReader"/> refuses ambiguous tokens. The JWT library verifies signature, type, issuer and audience, and
/// this class verifies times and claims. Issuer, audience, expiry and subject are required.</remarks>
internal sealed class TokenValidator : IHostedService
{
    private static readonly string[] DefaultTypes = ["JWT", "at+jwt"];

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = StrictTokenReader.MaxLength };
    private readonly Lazy<Dictionary<string, Issuer>> _issuers;
    private readonly TimeSpan _skew;
    private readonly TimeProvider _time;

    public TokenValidator(IOptions<AccessTokenOptions> options, SigningKeyStore keys, TimeProvider time, Authorities authorities)
    {
        var value = options.Value;
        _skew = value.ClockSkew;
        _time = time;
        _issuers = new(() => ReadIssuers(value, keys, authorities));
    }

    /// <summary>Reads the keys of all issuers. An unreadable key stops the start of the host instead of failing the first
    /// request.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = _issuers.Value;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static Dictionary<string, Issuer> ReadIssuers(AccessTokenOptions options, SigningKeyStore keys, Authorities authorities)
    {
        var issuers = options.TrustedIssuers.ToDictionary(
            issuer => issuer.Issuer,
            issuer =>
                authorities.Find(issuer.Issuer) is { } authority
                    ? new Issuer(issuer, () => authority.Keys, authority)
                    : new Issuer(issuer, Fixed([.. issuer.ReadKeys()]), null),
            StringComparer.Ordinal
        );
        var own = new TrustedIssuer
        {
            Issuer = options.Issuer,
            Audience = options.Audience,
            Types = { "JWT" },
        };
        issuers[options.Issuer] = new Issuer(own, Fixed([keys.Key.ForTokens]), null, IsOwn: true);
        return issuers;
    }

    /// <summary>Validates a token. If the token names an unknown key of an issuer with an authority, the call may wait for a fetch of the
    /// keys.</summary>
    public async ValueTask<TokenResult> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        if (
            !StrictTokenReader.TryRead(token, out var header, out var payload)
            || !StrictTokenReader.TryReadClaims(payload, out var document)
        )
            return Refused(TokenFault.Malformed);
        using (document)
        {
            try
            {
                var claims = document.RootElement;
                // The issuer is not verified yet. It only selects the configured issuer whose keys must verify the token.
                if (Text(claims, "iss") is not { } iss || !_issuers.Value.TryGetValue(iss, out var issuer))
                    return Refused(TokenFault.UnknownIssuer);
                if (
                    !TryTime(claims, "exp", out var expires)
                    || !TryTime(claims, "nbf", out var notBefore)
                    || !TryTime(claims, "iat", out var issued)
                )
                    return Refused(TokenFault.BadClaim);
                // The library accepts only strings as audience and throws on other types.
                if (!HasTextAudience(claims))
                    return Refused(TokenFault.WrongAudience);
                var fault = await ProveAsync(token, header, issuer, cancellationToken);
                return fault == TokenFault.None ? Decide(claims, issuer, expires, notBefore, issued) : Refused(fault);
            }
            catch (InvalidOperationException)
            {
                return Refused(TokenFault.Malformed); // a string that is not UTF-8
            }
        }
    }

    private async ValueTask<TokenFault> ProveAsync(string token, TokenHeader header, Issuer issuer, CancellationToken cancellationToken)
    {
        // Read before the attempt, so that a fetch which completes meanwhile counts as a change.
        var keys = issuer.Keys();
        var fault = await ProveAsync(token, issuer.Parameters);
        if (fault != TokenFault.WrongSignature || issuer.Authority is not { } authority)
            return fault;
        if (await authority.HasOtherKeysAsync(keys, header.KeyId, cancellationToken))
            fault = await ProveAsync(token, issuer.Parameters);
        else if (header.KeyId is { } keyId && TokenKey.IsNamed(keys, keyId))
            return fault;
        // The token may be signed with a new key that could not be fetched. A new sign-in would not help the user.
        return fault == TokenFault.WrongSignature && !authority.IsCurrent ? TokenFault.IssuerUnavailable : fault;
    }

    private async ValueTask<TokenFault> ProveAsync(string token, TokenValidationParameters parameters)
    {
        var result = await _handler.ValidateTokenAsync(token, parameters);
        return result.IsValid
            ? TokenFault.None
            : result.Exception switch
            {
                SecurityTokenInvalidSignatureException or SecurityTokenInvalidAlgorithmException => TokenFault.WrongSignature,
                SecurityTokenInvalidTypeException => TokenFault.WrongType,
                SecurityTokenInvalidIssuerException => TokenFault.UnknownIssuer,
                SecurityTokenInvalidAudienceException => TokenFault.WrongAudience,
                _ => TokenFault.Malformed,
            };
    }

    private TokenResult Decide(
        JsonElement claims,
        Issuer issuer,
        DateTimeOffset? expires,
        DateTimeOffset? notBefore,
        DateTimeOffset? issued
    )
    {
        var now = _time.GetUtcNow();
        if (expires is null || now >= expires + _skew)
            return Refused(TokenFault.Expired);
        if (now < notBefore - _skew || now < issued - _skew)
            return Refused(TokenFault.NotYetValid);
        if (Text(claims, "sub") is not { Length: > 0 } subject || UserIds.Fault(issuer.Options.UserIdPrefix + subject) is not null)
            return Refused(TokenFault.BadClaim);
        // Invalid grants would grant nothing. Refusing the token makes the fault visible.
        var grants = claims.TryGetProperty(DunlinClaims.Grants, out var claim) ? claim.GetRawText() : null;
        if (grants is not null && !Grants.TryParse(grants, out _))
            return Refused(TokenFault.BadClaim);

        var identity = DunlinIdentity.Create(
            issuer.IsOwn ? DunlinAuthentication.Scheme : DunlinAuthentication.TrustedIssuerType,
            issuer.Options.UserIdPrefix + subject,
            Text(claims, DunlinClaims.Name) ?? Text(claims, "preferred_username") ?? subject,
            Roles(claims, issuer.Options.RolesClaim),
            Text(claims, DunlinClaims.SessionId),
            // A token is valid until its expiry plus the skew, and its streams last equally long. A stream that closed earlier would
            // reconnect at once.
            expires.Value + _skew
        );
        DunlinIdentity.AddIssue(identity, issued, grants);
        if (Text(claims, "jti") is { } id)
            identity.AddClaim(new Claim("jti", id));
        return new TokenResult(TokenFault.None, identity, issuer.IsOwn);
    }

    private static TokenResult Refused(TokenFault fault) => new(fault, null, false);

    private static bool HasTextAudience(JsonElement claims) =>
        claims.TryGetProperty("aud", out var value)
        && value.ValueKind switch
        {
            JsonValueKind.String => true,
            JsonValueKind.Array => value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String),
            _ => false,
        };

    private static List<string> Roles(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out var value))
            return [];
        return value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array =>
            [
                .. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!),
            ],
            _ => [],
        };
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // A NumericDate may have a fraction (RFC 7519, section 2). An absent claim yields null; a value that is no number in range is a fault.
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

    private static Func<IReadOnlyList<TokenKey>> Fixed(IReadOnlyList<TokenKey> keys) => () => keys;

    private sealed record Issuer(TrustedIssuer Options, Func<IReadOnlyList<TokenKey>> Keys, AuthorityKeys? Authority, bool IsOwn = false)
    {
        public TokenValidationParameters Parameters { get; } =
            new()
            {
                ValidIssuer = Options.Issuer,
                ValidAudience = Options.Audience,
                IgnoreTrailingSlashWhenValidatingAudience = false,
                ValidAlgorithms = TokenKey.Algorithms,
                IssuerSigningKeyResolver = (_, token, _, _) => KeysFor((JsonWebToken)token, Keys()),
                TypeValidator = TypesOf(Options),
                // The library cannot use an injected clock, and accepts strings as numbers.
                ValidateLifetime = false,
            };

        // The library exposes an absent and an empty 'kid' alike. Only a token without 'kid' may be verified by a key with an id.
        private static IEnumerable<SecurityKey> KeysFor(JsonWebToken token, IReadOnlyList<TokenKey> keys) =>
            TokenKey.For(keys, token.Alg, token.TryGetHeaderValue<string>("kid", out var keyId) ? keyId : null).Select(key => key.Key);

        private static TypeValidator TypesOf(TrustedIssuer options)
        {
            string[] types = options.Types.Count > 0 ? [.. options.Types] : DefaultTypes;
            return (type, _, _) =>
                types.Contains(type, StringComparer.OrdinalIgnoreCase) ? type : throw new SecurityTokenInvalidTypeException();
        }
    }
}
