using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Dunlin.Security;

/// <summary>The protected header of a token, as far as it is read. <c>jwk</c>, <c>jku</c>, <c>x5u</c> and <c>x5c</c> are
/// not: a token cannot bring the key that proves it.</summary>
internal readonly record struct JwsHeader(string Algorithm, string? KeyId, string? Type);

/// <summary>
/// The outer half of a JWT: compact JWS (RFC 7515) with the signature, before anything is believed of what it says.
/// Strict on purpose, because two readers that disagree on what a token says are a hole: exactly three parts, base64url
/// without padding, white space or loose bits, a header without duplicate members, no <c>crit</c> extension, an algorithm of
/// the list, and a key that is bound to that very algorithm.
/// <para>The arithmetic is .NET's. A package for JWTs is the judge in the tests and no dependency: reading a token as
/// strictly as this comes before any of them, and the published signature vectors, whose payloads are no JSON, run through
/// this very code.</para>
/// </summary>
internal static class JwsVerifier
{
    /// <summary>More than any access token needs; keeps a huge header from costing anything.</summary>
    public const int MaxLength = 8 * 1024;

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Splits a token and reads its header; no signature is checked yet.</summary>
    public static bool TryRead(string token, out JwsHeader header, [NotNullWhen(true)] out byte[]? payload, [NotNullWhen(true)] out byte[]? signature)
    {
        header = default;
        payload = signature = null;
        if (token.Length is 0 or > MaxLength)
            return false;
        var first = token.IndexOf('.');
        var second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        return second > 0 && token.IndexOf('.', second + 1) < 0
            && TryDecode(token.AsSpan(0, first), out var headerBytes)
            && TryDecode(token.AsSpan(first + 1, second - first - 1), out payload)
            && TryDecode(token.AsSpan(second + 1), out signature)
            && TryReadHeader(headerBytes, out header);
    }

    /// <summary>Whether one of the keys, bound to the algorithm that the header names, signed exactly this text.</summary>
    public static bool IsSigned(string token, in JwsHeader header, ReadOnlySpan<byte> signature, IReadOnlyList<JwsKey> keys)
    {
        var signed = Encoding.ASCII.GetBytes(token, 0, token.LastIndexOf('.'));
        var keyId = header.KeyId;
        var named = keyId is not null && keys.Any(key => key.KeyId == keyId);
        foreach (var key in keys)
        {
            // With a key of that name no other is tried; without one, only keys that have no name.
            if (keyId is not null && key.KeyId != (named ? keyId : null))
                continue;
            if (key.Algorithm == header.Algorithm && key.Verify(signed, signature))
                return true;
        }
        return false;
    }

    /// <summary>Base64url as RFC 7515 writes it, and nothing else that decoders tolerate.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.ContainsAnyExcept(Alphabet))
            return false;
        // One text for one value: the decoder refuses bits that the last letter has too many (a test holds it to that).
        var decoded = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, decoded, out _, out var written) != OperationStatus.Done)
            return false;
        bytes = decoded[..written];
        return true;
    }

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private static bool TryReadHeader(byte[] utf8, out JwsHeader header)
    {
        header = default;
        try
        {
            using var document = JsonDocument.Parse(utf8, Json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.TryGetProperty("crit", out _) || root.TryGetProperty("b64", out _)
                || !TryText(root, "alg", out var algorithm) || algorithm is null
                || !TryText(root, "kid", out var keyId) || !TryText(root, "typ", out var type))
                return false;
            header = new JwsHeader(algorithm, keyId, type);
            return JwsAlgorithms.All.Contains(algorithm);
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

/// <summary>The algorithms taken (RFC 7518). <c>none</c> is not one of them.</summary>
internal static class JwsAlgorithms
{
    public const string Hs256 = "HS256";
    public const string Rs256 = "RS256";
    public const string Es256 = "ES256";

    public static readonly string[] All = [Hs256, Rs256, Es256];
}
