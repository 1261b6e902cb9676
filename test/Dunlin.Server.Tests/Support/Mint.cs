using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dunlin.Server.Tests.Support;

/// <summary>Creates tokens as a back end does, without the code under test.</summary>
internal static class Mint
{
    public static byte[] Key { get; } = RandomNumberGenerator.GetBytes(64);

    public static string KeyText { get; } = Convert.ToBase64String(Key);

    /// <summary>Returns a token of a user with grants, for example <c>("subscribe", "a/*")</c>.</summary>
    public static string User(string subject, params (string Right, string Pattern)[] grants) => Token(subject, grants);

    /// <summary>Returns the token of a back end: an administrator that may publish everywhere.</summary>
    public static string Backend() => Token("backend", [("publish", "**")], ("roles", new[] { "admin" }));

    public static string Token(string subject, (string Right, string Pattern)[] grants, params (string Name, object? Value)[] claims) =>
        Sign(Key, Claims(subject, grants, claims));

    public static Dictionary<string, object?> Claims(
        string subject,
        (string Right, string Pattern)[] grants,
        params (string Name, object? Value)[] claims
    )
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var all = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["iss"] = "dunlin",
            ["aud"] = "dunlin",
            ["sub"] = subject,
            ["iat"] = now,
            ["exp"] = now + 600,
            ["dunlin"] = grants
                .GroupBy(g => g.Right, g => g.Pattern, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal),
        };
        foreach (var (name, value) in claims)
            all[name] = value;
        return all;
    }

    public static string Sign(byte[] key, Dictionary<string, object?> claims) =>
        Sign("""{"alg":"HS256","typ":"JWT"}""", claims, text => HMACSHA256.HashData(key, text));

    public static string Sign(string header, Dictionary<string, object?> claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
