using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Dunlin.Security;

/// <summary>Generates random secrets and their hashes for storage. 256 random bits need no salt.</summary>
internal static class Secret
{
    private const int Bytes = 32;
    private const int Length = 43;

    public static string Make() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Returns a shorter random text, for ids that are unique but not secret.</summary>
    public static string MakeId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    public static string Hash(string secret) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    public static bool LooksRight(string? secret) => secret is { Length: Length };

    public static bool Matches(string secret, string hash) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(secret)), Encoding.ASCII.GetBytes(hash));
}
