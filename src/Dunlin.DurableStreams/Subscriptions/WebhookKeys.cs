using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dunlin.DurableStreams.Hosting;
using Dunlin.Security;
using Microsoft.Extensions.Options;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>The Ed25519 keys that sign webhooks, and the tokens of wakes. Thread-safe.</summary>
/// <remarks>All are derived from the signing key of the server, so the nodes of a store have the same ones, also after a restart.</remarks>
internal sealed class WebhookKeys(SigningKeyStore keys, IOptions<DurableStreamOptions> options)
{
    private readonly Lazy<IReadOnlyList<Key>> _keys = new(() =>
    {
        var number = options.Value.WebhookKey;
        // The next key is published early and the last one late: nodes may change the number one after the other.
        int[] published = number > 1 ? [number, number + 1, number - 1] : [number, number + 1];
        return [.. published.Select(one => KeyOf(keys.Key, one))];
    });

    /// <summary>Gets the public keys.</summary>
    public KeySet Published => new([.. _keys.Value.Select(static key => key.Entry)]);

    /// <summary>Gets the id of the key that signs.</summary>
    public string CurrentId => Current.Entry.Kid;

    private Key Current => _keys.Value[0];

    /// <summary>Returns the value of <c>Webhook-Signature</c> for a body.</summary>
    public string Sign(ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var time = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes(time + "."), .. body];
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(Current.Seed, 0, signed, 0, signed.Length, signature, 0);
        return $"t={time},kid={CurrentId},ed25519={Base64Url.EncodeToString(signature)}";
    }

    /// <summary>Returns the token of the current wake of a subscription.</summary>
    public string TokenOf(StreamSubscription row) => TokenOf(row, row.Generation);

    /// <summary>Returns the generation of a token of a subscription; null if the token is not valid.</summary>
    public long? GenerationOf(StreamSubscription row, string token)
    {
        var end = token.IndexOf('.', StringComparison.Ordinal);
        if (end < 0 || !long.TryParse(token.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
            return null;
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(TokenOf(row, generation)), Encoding.UTF8.GetBytes(token))
            ? generation
            : null;
    }

    private string TokenOf(StreamSubscription row, long generation)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"dunlin.stream-wake\n{row.Id}\n{row.Incarnation}\n{generation}");
        var code = Base64Url.EncodeToString(keys.Key.Sign(Encoding.UTF8.GetBytes(text)));
        return string.Create(CultureInfo.InvariantCulture, $"{generation}.{code}");
    }

    private static Key KeyOf(SigningKey secret, int number)
    {
        var seed = secret.Sign(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"dunlin.stream-webhook.{number}")));
        var bytes = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(seed, 0, bytes, 0);
        var x = Base64Url.EncodeToString(bytes);
        // The thumbprint of RFC 7638 and RFC 8037.
        var print = SHA256.HashData(Encoding.ASCII.GetBytes($"{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}"));
        return new Key(seed, new KeyEntry("OKP", "Ed25519", "ds_" + Base64Url.EncodeToString(print), "sig", "EdDSA", x));
    }

    private sealed record Key(byte[] Seed, KeyEntry Entry);
}
