using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Topics;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.Security;

/// <summary>Describes an access token to issue. Immutable.</summary>
/// <param name="UserId">The stable id of the user (<c>sub</c>): 1 to 120 characters.</param>
public sealed record AccessTokenRequest(string UserId)
{
    /// <summary>Gets the display name. Default: null, which means the user id.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the roles of the user. Default: none.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Gets the session of the token, or null for none. Default: null.</summary>
    /// <remarks>When the session ends, the token ends. When its last connection closes, its leases end. If this server keeps accounts, the
    /// session must be one of theirs.</remarks>
    public string? SessionId { get; init; }

    /// <summary>Gets what the token itself allows, for servers with <c>AddTokenGrants()</c>. Default: <see cref="Grants.None"/>.</summary>
    public Grants Grants { get; init; } = Grants.None;

    /// <summary>Gets the lifetime, rounded down to seconds. Default: null, which means <see cref="AccessTokenOptions.Lifetime"/>.</summary>
    public TimeSpan? Lifetime { get; init; }
}

/// <summary>Issues this server's own access tokens and explains why a token is refused. Thread-safe.</summary>
/// <remarks>The tokens are JWTs (RFC 7519) signed with HS256 and <see cref="AccessTokenOptions.SigningKey"/>. These methods check no
/// permission: callers must do that.</remarks>
public sealed class AccessTokens
{
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly AccessTokenOptions _options;
    private readonly SigningKeyStore _keys;
    private readonly TokenValidator _validator;
    private readonly TimeProvider _time;

    internal AccessTokens(IOptions<AccessTokenOptions> options, SigningKeyStore keys, TokenValidator validator, TimeProvider time) =>
        (_options, _keys, _validator, _time) = (options.Value, keys, validator, time);

    /// <summary>Issues a token.</summary>
    /// <param name="request">The content of the token.</param>
    /// <returns>The token in compact serialisation (RFC 7515, section 3.1).</returns>
    /// <exception cref="ArgumentException">The user id is invalid, or the lifetime is shorter than a second.</exception>
    public string Issue(AccessTokenRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (UserIds.Fault(request.UserId) is { } fault)
            throw new ArgumentException(fault, nameof(request));
        if (request.Lifetime < TimeSpan.FromSeconds(1))
            throw new ArgumentException("A token must last at least one second.", nameof(request));
        return Issue(request, out _);
    }

    /// <summary>Returns the reason why a token is refused as one word, such as <c>wrongAudience</c>, or null if the token is
    /// valid.</summary>
    /// <param name="token">The token.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <remarks>The method does not check whether the session of the token has ended. Show the reason only to an administrator of the
    /// server, never to the sender of the token.</remarks>
    /// <exception cref="OperationCanceledException">The call was cancelled while it fetched the keys of an issuer.</exception>
    public async ValueTask<string?> WhyRefusedAsync(string token, CancellationToken cancellationToken)
    {
        var (fault, _, _) = await _validator.ValidateAsync(token, cancellationToken);
        return fault == TokenFault.None ? null : JsonNamingPolicy.CamelCase.ConvertName(fault.ToString());
    }

    internal string Issue(AccessTokenRequest request, out TimeSpan lifetime)
    {
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        var seconds = (long)(request.Lifetime ?? _options.Lifetime).TotalSeconds;
        lifetime = TimeSpan.FromSeconds(seconds);
        var payload = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            json.WriteString("iss", _options.Issuer);
            json.WriteString("aud", _options.Audience);
            json.WriteString(DunlinClaims.UserId, request.UserId);
            json.WriteString(DunlinClaims.Name, request.Name ?? request.UserId);
            json.WriteStartArray(DunlinClaims.Role);
            foreach (var role in request.Roles)
                json.WriteStringValue(role);
            json.WriteEndArray();
            if (request.SessionId is not null)
                json.WriteString(DunlinClaims.SessionId, request.SessionId);
            if (request.Grants != Grants.None)
            {
                json.WritePropertyName(DunlinClaims.Grants);
                json.WriteRawValue(request.Grants.ToJson());
            }
            json.WriteString("jti", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
            json.WriteNumber(DunlinClaims.IssuedAt, now);
            json.WriteNumber("nbf", now);
            json.WriteNumber(DunlinClaims.ExpiresAt, now + seconds);
            json.WriteEndObject();
        }
        var key = _keys.Key.ForTokens;
        return Handler.CreateToken(Encoding.UTF8.GetString(payload.WrittenSpan), new SigningCredentials(key.Key, key.Algorithm));
    }
}
