using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.Security;

/// <summary>Represents a key that verifies tokens with one algorithm. An RSA public key can therefore never serve as an HMAC secret.
/// Immutable.</summary>
/// <param name="Key">The key for the JWT library, which caches and pools its verifiers.</param>
/// <param name="Algorithm">The only algorithm (RFC 7518) that this key verifies.</param>
/// <param name="KeyId">The key id (<c>kid</c>). Null for none.</param>
internal sealed record TokenKey(SecurityKey Key, string Algorithm, string? KeyId)
{
    /// <summary>The minimum length of an HMAC key: the length of the hash (RFC 7518, section 3.2).</summary>
    public const int MinSecretBytes = 32;

    /// <summary>The minimum length of an RSA key (RFC 7518, section 3.3).</summary>
    public const int MinRsaBits = 2048;

    /// <summary>The maximum number of keys of one issuer that the server tries for one token. It limits the work for a forged
    /// token.</summary>
    public const int MaxTried = 16;

    /// <summary>The accepted algorithms. <c>none</c> is not among them.</summary>
    public static readonly string[] Algorithms =
    [
        SecurityAlgorithms.HmacSha256,
        SecurityAlgorithms.RsaSha256,
        SecurityAlgorithms.EcdsaSha256,
    ];

    // Not the shared factory of the library: if an application disposes an equal key, the cached verifier of that key breaks.
    private static readonly CryptoProviderFactory Crypto = new();

    /// <summary>Creates an HS256 key.</summary>
    /// <exception cref="FormatException">The secret is too short.</exception>
    public static TokenKey OfSecret(byte[] secret, string? keyId) =>
        secret.Length >= MinSecretBytes
            ? new TokenKey(new SymmetricSecurityKey(secret) { CryptoProviderFactory = Crypto }, SecurityAlgorithms.HmacSha256, keyId)
            : throw new FormatException($"an HS256 key has {MinSecretBytes} bytes at least; this one has {secret.Length}");

    /// <summary>Parses a PEM public key, a JWK or a JWK set.</summary>
    /// <exception cref="FormatException">The text contains no usable key. The message never contains the key.</exception>
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

    /// <summary>Parses the JWK set that an issuer publishes. It skips keys that are unusable here (RFC 7517, section 5). It also skips
    /// symmetric keys, because every reader of a public document could sign with them.</summary>
    /// <exception cref="FormatException">The set has no usable key, or has more than <paramref name="maxKeys"/> keys.</exception>
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
                // A broken or weak key must not invalidate the other keys of the issuer.
            }
        }
        return keys.Count > 0 ? keys : throw new FormatException("the JWK set has no public key for verifying RS256 or ES256");
    }

    /// <summary>Returns the keys that may verify a token. They have its algorithm, and its <c>kid</c> if the issuer has a key with that id.
    /// For an unknown <c>kid</c>, they are the keys without an id.</summary>
    public static IEnumerable<TokenKey> For(IReadOnlyList<TokenKey> keys, string algorithm, string? keyId)
    {
        var name = keyId is not null && IsNamed(keys, keyId) ? keyId : null;
        return keys.Where(key => (keyId is null || key.KeyId == name) && key.Algorithm == algorithm).Take(MaxTried);
    }

    /// <summary>Returns whether the issuer has a key with that id.</summary>
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

    // Returns null for a key of another type or use.
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

    // The ECDsa instance is not disposed: it must live as long as the verifiers that the library caches for it.
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
