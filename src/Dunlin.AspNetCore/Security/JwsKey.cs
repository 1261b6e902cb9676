using System.Security.Cryptography;
using System.Text.Json;

namespace Dunlin.Security;

/// <summary>
/// One key that proves tokens, bound to the one algorithm it is for: an RSA public key can never be taken for the secret
/// of an HMAC. Safe for concurrent use.
/// </summary>
internal abstract class JwsKey(string algorithm, string? keyId)
{
    /// <summary>RFC 7518, 3.2: an HMAC key is at least as long as the hash.</summary>
    public const int MinSecretBytes = 32;

    /// <summary>RFC 7518, 3.3.</summary>
    public const int MinRsaBits = 2048;

    public string Algorithm { get; } = algorithm;

    public string? KeyId { get; } = keyId;

    public abstract bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature);

    /// <summary>A shared secret, for HS256.</summary>
    /// <exception cref="FormatException">Too short.</exception>
    public static SecretKey OfSecret(byte[] secret, string? keyId) => secret.Length >= MinSecretBytes
        ? new SecretKey(secret, keyId)
        : throw new FormatException($"an HS256 key has {MinSecretBytes} bytes at least; this one has {secret.Length}");

    /// <summary>Reads keys as people keep them: a PEM public key, one JWK, or a JWK set.</summary>
    /// <exception cref="FormatException">Not a key that can be used here; says why, and never shows the key.</exception>
    public static IReadOnlyList<JwsKey> Parse(string text)
    {
        try
        {
            return text.TrimStart().StartsWith("-----", StringComparison.Ordinal) ? [OfPem(text)] : OfJson(text);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or JsonException or InvalidOperationException)
        {
            throw new FormatException("neither a PEM public key nor a JWK (set)", exception);
        }
    }

    private static JwsKey OfPem(string text)
    {
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            throw new FormatException("a private key; put the public one here and keep the other secret");
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(text);
            return OfRsa(rsa, keyId: null);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            rsa.Dispose();
        }
        var ec = ECDsa.Create();
        ec.ImportFromPem(text);
        return OfEc(ec, keyId: null);
    }

    private static IReadOnlyList<JwsKey> OfJson(string text)
    {
        using var document = JsonDocument.Parse(text);
        if (!document.RootElement.TryGetProperty("keys", out var set))
            return [OfJwk(document.RootElement) ?? throw new FormatException("a JWK that is not for verifying HS256, RS256 or ES256")];
        // RFC 7517, 5: keys of a set that one does not understand are passed over.
        List<JwsKey> keys = [.. set.EnumerateArray().Select(OfJwk).OfType<JwsKey>()];
        return keys.Count > 0 ? keys : throw new FormatException("a JWK set without a key for verifying HS256, RS256 or ES256");
    }

    private static JwsKey? OfJwk(JsonElement jwk)
    {
        var keyId = Text(jwk, "kid");
        var algorithm = Text(jwk, "kty") switch { "oct" => JwsAlgorithms.Hs256, "RSA" => JwsAlgorithms.Rs256, "EC" => JwsAlgorithms.Es256, _ => null };
        if (algorithm is null || (Text(jwk, "alg") ?? algorithm) != algorithm || Text(jwk, "use") is not (null or "sig"))
            return null;
        if (jwk.TryGetProperty("key_ops", out var uses) && !uses.EnumerateArray().Any(use => use.ValueEquals("verify")))
            return null;
        switch (algorithm)
        {
            case JwsAlgorithms.Hs256:
                return OfSecret(Bytes(jwk, "k"), keyId);
            case JwsAlgorithms.Rs256:
                return OfRsa(RSA.Create(new RSAParameters { Modulus = Bytes(jwk, "n"), Exponent = Bytes(jwk, "e") }), keyId);
            default:
                return Text(jwk, "crv") != "P-256" ? null : OfEc(ECDsa.Create(new ECParameters
                {
                    Curve = ECCurve.NamedCurves.nistP256,
                    Q = new ECPoint { X = Bytes(jwk, "x"), Y = Bytes(jwk, "y") },
                }), keyId);
        }
    }

    private static RsaKey OfRsa(RSA rsa, string? keyId) => rsa.KeySize >= MinRsaBits
        ? new RsaKey(rsa, keyId)
        : throw new FormatException($"an RS256 key has {MinRsaBits} bits at least; this one has {rsa.KeySize}");

    private static EcKey OfEc(ECDsa ec, string? keyId) => ec.KeySize == 256
        ? new EcKey(ec, keyId)
        : throw new FormatException("an ES256 key is on the curve P-256");

    private static string? Text(JsonElement jwk, string name) => jwk.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static byte[] Bytes(JsonElement jwk, string name) =>
        Text(jwk, name) is { } text && JwsVerifier.TryDecode(text, out var bytes) ? bytes : throw new FormatException($"a JWK without a valid '{name}'");

    /// <summary>HS256; the only kind that also signs.</summary>
    internal sealed class SecretKey(byte[] secret, string? keyId) : JwsKey(JwsAlgorithms.Hs256, keyId)
    {
        public byte[] Sign(ReadOnlySpan<byte> text) => HMACSHA256.HashData(secret, text);

        public override bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
            HMACSHA256.HashData(secret, signed, expected);
            return CryptographicOperations.FixedTimeEquals(expected, signature);
        }
    }

    // The instances of RSA and ECDsa promise no thread safety; verifying is short.
    private sealed class RsaKey(RSA rsa, string? keyId) : JwsKey(JwsAlgorithms.Rs256, keyId)
    {
        public override bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            lock (rsa)
                return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }

    private sealed class EcKey(ECDsa ec, string? keyId) : JwsKey(JwsAlgorithms.Es256, keyId)
    {
        private const int SignatureBytes = 64;

        public override bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            if (signature.Length != SignatureBytes)
                return false;
            lock (ec)
                return ec.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }
}
