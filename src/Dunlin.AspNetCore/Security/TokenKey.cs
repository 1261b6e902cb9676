using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.Security;

/// <summary>
/// One key that proves tokens, bound to one algorithm: an RSA public key can never be used as the secret of an HMAC.
/// Immutable.
/// </summary>
/// <param name="Key">The key for the library, which caches and pools what verifies with it.</param>
/// <param name="Algorithm">The only algorithm (RFC 7518) that this key verifies.</param>
/// <param name="KeyId">Its name (<c>kid</c>); null for none.</param>
internal sealed record TokenKey(SecurityKey Key, string Algorithm, string? KeyId)
{
    /// <summary>RFC 7518, section 3.2: an HMAC key is at least as long as the hash.</summary>
    public const int MinSecretBytes = 32;

    /// <summary>RFC 7518, section 3.3.</summary>
    public const int MinRsaBits = 2048;

    /// <summary>The most keys of one issuer that are tried for one token: bounds the work that a forged token causes.</summary>
    public const int MaxTried = 16;

    /// <summary>All algorithms that are accepted. <c>none</c> is not one of them.</summary>
    public static readonly string[] Algorithms =
    [
        SecurityAlgorithms.HmacSha256,
        SecurityAlgorithms.RsaSha256,
        SecurityAlgorithms.EcdsaSha256,
    ];

    // Not the library's shared factory: an application that disposes a key of its own would break the cached verifier of an equal one.
    private static readonly CryptoProviderFactory Crypto = new();

    /// <summary>Makes an HS256 key.</summary>
    /// <exception cref="FormatException">The secret is too short.</exception>
    public static TokenKey OfSecret(byte[] secret, string? keyId) =>
        secret.Length >= MinSecretBytes
            ? new TokenKey(new SymmetricSecurityKey(secret) { CryptoProviderFactory = Crypto }, SecurityAlgorithms.HmacSha256, keyId)
            : throw new FormatException($"an HS256 key has {MinSecretBytes} bytes at least; this one has {secret.Length}");

    /// <summary>Reads a PEM public key, a JWK or a JWK set.</summary>
    /// <exception cref="FormatException">The text holds no usable key. The message never contains the key.</exception>
    public static IReadOnlyList<TokenKey> Parse(string text)
    {
        try
        {
            return text.TrimStart().StartsWith("-----", StringComparison.Ordinal) ? [OfPem(text)] : OfJson(text);
        }
        catch (Exception exception)
            when (exception is CryptographicException or ArgumentException or JsonException or InvalidOperationException)
        {
            throw new FormatException("neither a PEM public key nor a JWK (set)", exception);
        }
    }

    /// <summary>
    /// Reads a JWK set that an issuer publishes. Symmetric keys are ignored, because whoever reads a public document could sign
    /// with them; so are keys that are unusable here (RFC 7517, section 5).
    /// </summary>
    /// <exception cref="FormatException">No key is left, or there are more than <paramref name="maxKeys"/>.</exception>
    public static IReadOnlyList<TokenKey> OfPublishedSet(JsonWebKeySet set, int maxKeys)
    {
        if (set.Keys.Count > maxKeys)
            throw new FormatException($"the JWK set has {set.Keys.Count} keys; the limit is {maxKeys}");
        var keys = new List<TokenKey>();
        foreach (var jwk in set.Keys)
        {
            try
            {
                if (jwk.Kty != JsonWebAlgorithmsKeyTypes.Octet && OfJwk(jwk) is { } key)
                    keys.Add(key);
            }
            catch (Exception exception) when (exception is FormatException or CryptographicException or ArgumentException)
            {
                // One broken or weak key must not take the other keys of the issuer away.
            }
        }
        return keys.Count > 0 ? keys : throw new FormatException("the JWK set has no public key for verifying RS256 or ES256");
    }

    /// <summary>Returns the keys that may prove a token: those with its algorithm and, where the issuer has a key of its
    /// <c>kid</c>, only those; with an unknown <c>kid</c> only keys without a name.</summary>
    public static IEnumerable<TokenKey> For(IReadOnlyList<TokenKey> keys, string algorithm, string? keyId)
    {
        var name = keyId is not null && IsNamed(keys, keyId) ? keyId : null;
        return keys.Where(key => (keyId is null || key.KeyId == name) && key.Algorithm == algorithm).Take(MaxTried);
    }

    /// <summary>Whether the issuer has a key of that name.</summary>
    public static bool IsNamed(IReadOnlyList<TokenKey> keys, string keyId)
    {
        foreach (var key in keys)
        {
            if (key.KeyId == keyId)
                return true;
        }
        return false;
    }

    private static TokenKey OfPem(string text)
    {
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            throw new FormatException("a private key; put the public one here and keep the other secret");
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(text);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            using var ec = ECDsa.Create();
            ec.ImportFromPem(text);
            return OfEc(ec.ExportParameters(includePrivateParameters: false), keyId: null);
        }
        return OfRsa(rsa.ExportParameters(includePrivateParameters: false), keyId: null);
    }

    private static IReadOnlyList<TokenKey> OfJson(string text)
    {
        using var document = JsonDocument.Parse(text);
        if (!document.RootElement.TryGetProperty("keys", out _))
            return [OfJwk(new JsonWebKey(text)) ?? throw new FormatException("a JWK that is not for verifying HS256, RS256 or ES256")];
        List<TokenKey> keys = [.. new JsonWebKeySet(text).Keys.Select(OfJwk).OfType<TokenKey>()];
        return keys.Count > 0 ? keys : throw new FormatException("a JWK set without a key for verifying HS256, RS256 or ES256");
    }

    // Null for a key of another kind or purpose.
    private static TokenKey? OfJwk(JsonWebKey jwk)
    {
        var algorithm = jwk.Kty switch
        {
            JsonWebAlgorithmsKeyTypes.Octet => SecurityAlgorithms.HmacSha256,
            JsonWebAlgorithmsKeyTypes.RSA => SecurityAlgorithms.RsaSha256,
            JsonWebAlgorithmsKeyTypes.EllipticCurve => SecurityAlgorithms.EcdsaSha256,
            _ => null,
        };
        if (
            algorithm is null
            || (jwk.Alg ?? algorithm) != algorithm
            || jwk.Use is not (null or JsonWebKeyUseNames.Sig)
            || (jwk.KeyOps.Count > 0 && !jwk.KeyOps.Contains("verify"))
        )
            return null;
        return algorithm switch
        {
            SecurityAlgorithms.HmacSha256 => OfSecret(Bytes(jwk.K, "k"), jwk.Kid),
            SecurityAlgorithms.RsaSha256 => OfRsa(new RSAParameters { Modulus = Bytes(jwk.N, "n"), Exponent = Bytes(jwk.E, "e") }, jwk.Kid),
            _ => jwk.Crv != JsonWebKeyECTypes.P256
                ? null
                : OfEc(
                    new ECParameters
                    {
                        Curve = ECCurve.NamedCurves.nistP256,
                        Q = new ECPoint { X = Bytes(jwk.X, "x"), Y = Bytes(jwk.Y, "y") },
                    },
                    jwk.Kid
                ),
        };
    }

    private static TokenKey OfRsa(RSAParameters parameters, string? keyId)
    {
        using var rsa = RSA.Create(parameters);
        return rsa.KeySize >= MinRsaBits
            ? new TokenKey(new RsaSecurityKey(parameters) { CryptoProviderFactory = Crypto }, SecurityAlgorithms.RsaSha256, keyId)
            : throw new FormatException($"an RS256 key has {MinRsaBits} bits at least; this one has {rsa.KeySize}");
    }

    // The instance lives as long as the verifiers that the library caches for it.
    private static TokenKey OfEc(ECParameters parameters, string? keyId)
    {
        var ec = ECDsa.Create(parameters);
        return ec.KeySize == 256
            ? new TokenKey(new ECDsaSecurityKey(ec) { CryptoProviderFactory = Crypto }, SecurityAlgorithms.EcdsaSha256, keyId)
            : throw new FormatException("an ES256 key is on the curve P-256");
    }

    private static byte[] Bytes(string? text, string name) =>
        text is not null && StrictTokenReader.TryDecode(text, out var bytes)
            ? bytes
            : throw new FormatException($"a JWK without a valid '{name}'");
}
