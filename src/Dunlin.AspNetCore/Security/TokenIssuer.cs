using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Accounts;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Makes this server's own access tokens: JWT, HS256, bound to the session that they come from.</summary>
internal sealed class TokenIssuer(IOptions<AccessTokenOptions> options, SigningKeyStore keys, TimeProvider time)
{
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    /// <summary>A token for one session, never outliving it.</summary>
    public (string Token, TimeSpan Lifetime) Issue(Account account, Session session)
    {
        var value = options.Value;
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var expires = Earlier(now + value.Lifetime, session.ExpiresAt);
        var payload = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            json.WriteString("iss", value.Issuer);
            json.WriteString("aud", value.Audience);
            json.WriteString(DunlinClaims.UserId, account.UserId);
            json.WriteString(DunlinClaims.Name, account.FullName);
            json.WriteStartArray(DunlinClaims.Role);
            foreach (var role in account.Roles)
                json.WriteStringValue(role);
            json.WriteEndArray();
            json.WriteString(DunlinClaims.SessionId, session.SessionId);
            json.WriteString("jti", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("nbf", now.ToUnixTimeSeconds());
            json.WriteNumber(DunlinClaims.ExpiresAt, expires.ToUnixTimeSeconds());
            json.WriteEndObject();
        }
        var signed = $"{Header}.{Base64Url.EncodeToString(payload.WrittenSpan)}";
        return ($"{signed}.{Base64Url.EncodeToString(keys.Key.Sign(Encoding.ASCII.GetBytes(signed)))}", expires - now);
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
