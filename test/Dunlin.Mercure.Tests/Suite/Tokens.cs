using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Creates tokens as a back end does, without the code under test.</summary>
internal static class Tokens
{
    public const string Secret = "!ChangeThisMercureHubJWTSecretKey!";
    public const string Issuer = "https://example.com";
    public const string DetailType = "https://mercure.rocks/authorization-detail";

    public static string Publisher(TimeProvider time, params string[] topics) =>
        Sign(Claims(time, Detail("publish", topics.Length == 0 ? ["*"] : topics)));

    public static string Reader(TimeProvider time, params string[] topics) => Sign(Claims(time, Detail("subscribe", topics)));

    /// <summary>Returns a token that expires before the first heartbeat, so that no write is in progress then.</summary>
    public static string Expiring(TimeProvider time, TimeSpan after)
    {
        var claims = Claims(time, Detail("subscribe", ["*"]));
        claims["exp"] = time.GetUtcNow().Add(after).ToUnixTimeSeconds();
        return Sign(claims);
    }

    /// <summary>Returns a token of version 0.x.</summary>
    public static string Legacy(string[]? publish = null, string[]? subscribe = null, object? payload = null) =>
        Sign(
            new()
            {
                ["mercure"] = new
                {
                    publish,
                    subscribe,
                    payload,
                },
            },
            typ: "JWT"
        );

    public static object Detail(string action, string[] topics, object? payload = null, string type = "exact") =>
        new
        {
            type = DetailType,
            actions = new[] { action },
            topics = topics.Select(topic => new { match = topic, match_type = type }),
            payload,
        };

    public static Dictionary<string, object?> Claims(TimeProvider time, params object[] details) =>
        new(StringComparer.Ordinal)
        {
            ["iss"] = Issuer,
            ["aud"] = HubNodes.Url,
            ["sub"] = "ann",
            ["client_id"] = Issuer,
            ["iat"] = time.GetUtcNow().ToUnixTimeSeconds(),
            ["exp"] = time.GetUtcNow().AddMinutes(30).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString(),
            ["authorization_details"] = details,
        };

    public static string Sign(Dictionary<string, object?> claims, string typ = "at+jwt", string alg = "HS256", string secret = Secret)
    {
        var header = JsonSerializer.Serialize(new { alg, typ });
        var text = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Json(claims))}";
        var signature = alg == "none" ? "" : Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));
        return $"{text}.{signature}";
    }

    public static byte[] Json(Dictionary<string, object?> claims) => JsonSerializer.SerializeToUtf8Bytes(claims, Options);

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private static JsonSerializerOptions Options { get; } =
        new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };
}
