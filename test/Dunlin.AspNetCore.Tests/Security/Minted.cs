using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>Creates valid and invalid tokens without the code under test.</summary>
internal static class Minted
{
    public static string Token(Dictionary<string, object?> header, Dictionary<string, object?> claims, Func<byte[], byte[]> sign) =>
        Token(JsonSerializer.Serialize(header), JsonSerializer.Serialize(claims), sign);

    public static string Token(string header, string claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static Func<byte[], byte[]> Hs256(byte[] key) => text => HMACSHA256.HashData(key, text);

    public static Func<byte[], byte[]> Rs256(RSA key) => text => key.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public static Func<byte[], byte[]> Es256(ECDsa key) => text => key.SignData(text, HashAlgorithmName.SHA256);

    public static Dictionary<string, object?> Header(string algorithm, params (string Name, object? Value)[] more) =>
        With(new() { ["alg"] = algorithm, ["typ"] = "JWT" }, more);

    public static Dictionary<string, object?> Claims(DateTimeOffset now, params (string Name, object? Value)[] more) =>
        With(
            new()
            {
                ["iss"] = "dunlin",
                ["aud"] = "dunlin",
                ["sub"] = "u1",
                ["name"] = "User One",
                ["roles"] = new[] { "user", "admin" },
                ["iat"] = now.ToUnixTimeSeconds(),
                ["nbf"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.ToUnixTimeSeconds() + 900,
            },
            more
        );

    /// <summary>Marks a member to omit.</summary>
    public static readonly object Absent = new();

    private static Dictionary<string, object?> With(Dictionary<string, object?> members, (string Name, object? Value)[] more)
    {
        foreach (var (name, value) in more)
        {
            if (ReferenceEquals(value, Absent))
                members.Remove(name);
            else
                members[name] = value;
        }
        return members;
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
