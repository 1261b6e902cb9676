using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Dunlin.Json;

namespace Dunlin.Security;

/// <summary>The members of a token's protected header that the server uses. It ignores <c>jwk</c>, <c>jku</c>, <c>x5u</c> and <c>x5c</c>: a
/// token must not supply the key that verifies it (RFC 8725, section 3.10).</summary>
internal readonly record struct TokenHeader(string Algorithm, string? KeyId, string? Type);

/// <summary>Parses a token strictly before the JWT library does (RFC 7515, RFC 8725).</summary>
/// <remarks>Two parsers that read the same token differently are a security hole. The library tolerates several spellings of one token:
/// padding and unused bits in base64url, repeated members, and the headers <c>crit</c> and <c>b64</c>.</remarks>
internal static class StrictTokenReader
{
    /// <summary>The maximum length of a token in characters: more than any access token needs.</summary>
    public const int MaxLength = 8 * 1024;

    private static readonly JsonDocumentOptions HeaderJson = new() { MaxDepth = 8, AllowDuplicateProperties = false };
    private static readonly JsonDocumentOptions PayloadJson = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    private static readonly SearchValues<char> Alphabet = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );

    /// <summary>Splits a compact JWS into exactly three parts and parses its header. The payload may be any bytes.</summary>
    public static bool TryRead(string token, out TokenHeader header, [NotNullWhen(true)] out byte[]? payload)
    {
        header = default;
        payload = null;
        if (token.Length is 0 or > MaxLength)
            return false;
        var first = token.IndexOf('.');
        var second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        return second > 0
            && token.IndexOf('.', second + 1) < 0
            && TryDecode(token.AsSpan(0, first), out var headerBytes)
            && TryDecode(token.AsSpan(first + 1, second - first - 1), out payload)
            && TryDecode(token.AsSpan(second + 1), out _)
            && TryReadHeader(headerBytes, out header);
    }

    /// <summary>Parses the claims: one JSON object without repeated members. NUL is refused because PostgreSQL cannot store it.</summary>
    public static bool TryReadClaims(byte[] payload, [NotNullWhen(true)] out JsonDocument? claims)
    {
        claims = null;
        if (JsonText.HoldsNul(payload))
            return false;
        try
        {
            claims = JsonDocument.Parse(payload, PayloadJson);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false; // not JSON, or a member name with an unpaired surrogate
        }
        if (claims.RootElement.ValueKind == JsonValueKind.Object)
            return true;
        claims.Dispose();
        claims = null;
        return false;
    }

    /// <summary>Decodes base64url as RFC 7515, section 2, defines it: no padding, no white space, and no bits set after the last
    /// byte.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.ContainsAnyExcept(Alphabet))
            return false;
        var decoded = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, decoded, out _, out var written) != OperationStatus.Done)
            return false;
        bytes = decoded[..written];
        return true;
    }

    private static bool TryReadHeader(byte[] utf8, out TokenHeader header)
    {
        header = default;
        try
        {
            using var document = JsonDocument.Parse(utf8, HeaderJson);
            var root = document.RootElement;
            if (
                root.ValueKind != JsonValueKind.Object
                || root.TryGetProperty("crit", out _)
                || root.TryGetProperty("b64", out _)
                || !TryText(root, "alg", out var algorithm)
                || algorithm is null
                || !TryText(root, "kid", out var keyId)
                || !TryText(root, "typ", out var type)
            )
                return false;
            header = new TokenHeader(algorithm, keyId, type);
            return TokenKey.Algorithms.Contains(algorithm);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false; // not JSON, or text that is not UTF-8
        }
    }

    private static bool TryText(JsonElement root, string name, out string? value)
    {
        value = null;
        if (!root.TryGetProperty(name, out var element))
            return true;
        if (element.ValueKind != JsonValueKind.String)
            return false;
        value = element.GetString();
        return true;
    }
}
