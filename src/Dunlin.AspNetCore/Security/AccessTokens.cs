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

/// <summary>What an access token of this server says.</summary>
/// <param name="UserId">The stable id of the user (<c>sub</c>), up to 120 characters.</param>
public sealed record AccessTokenRequest(string UserId)
{
    /// <summary>The name shown to others; null for the id.</summary>
    public string? Name { get; init; }

    /// <summary>Roles of the user.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>The session it belongs to: its end ends the token, and its last connection's end the leases. Where accounts are kept
    /// here it must be one of theirs. Null for none.</summary>
    public string? SessionId { get; init; }

    /// <summary>What it allows by itself, where <c>AddTokenGrants()</c> lets tokens decide.</summary>
    public Grants Grants { get; init; } = Grants.None;

    /// <summary>How long it lasts; null for <see cref="AccessTokenOptions.Lifetime"/>. Rounded down to seconds.</summary>
    public TimeSpan? Lifetime { get; init; }
}

/// <summary>Makes this server's own access tokens (JWT, HS256, signed with <see cref="AccessTokenOptions.SigningKey"/>), and says of any
/// token why it is refused. Asks no permission: the caller of these methods has decided. Safe for concurrent use.</summary>
public sealed class AccessTokens
{
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly AccessTokenOptions _options;
    private readonly SigningKeyStore _keys;
    private readonly TokenValidator _validator;
    private readonly TimeProvider _time;

    internal AccessTokens(IOptions<AccessTokenOptions> options, SigningKeyStore keys, TokenValidator validator, TimeProvider time) =>
        (_options, _keys, _validator, _time) = (options.Value, keys, validator, time);

    /// <summary>Makes a token.</summary>
    /// <exception cref="ArgumentException">The user id is none, or the lifetime is shorter than a second.</exception>
    public string Issue(AccessTokenRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (UserIds.Fault(request.UserId) is { } fault)
            throw new ArgumentException(fault, nameof(request));
        if (request.Lifetime < TimeSpan.FromSeconds(1))
            throw new ArgumentException("A token must last at least one second.", nameof(request));
        return Issue(request, out _);
    }

    /// <summary>Why a token is refused, for whoever configures a server: one word, such as <c>wrongAudience</c>; null where it is
    /// taken. Does not ask whether its session has ended. Never tell it to the one who sent the token.</summary>
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
