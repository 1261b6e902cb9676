using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Hooks;

/// <summary>Verifies the signatures of one hook. Immutable.</summary>
internal sealed class HookSignature(HookSource source, IReadOnlyList<byte[]> keys)
{
    public const string StandardId = "webhook-id";
    public const string GitHubId = "X-GitHub-Delivery";
    public const string GitHubEvent = "X-GitHub-Event";

    private const string StandardTime = "webhook-timestamp";
    private const string Standard = "webhook-signature";
    private const string GitHub = "X-Hub-Signature-256";
    private const string Stripe = "Stripe-Signature";
    private const string DigestPrefix = "sha256=";

    // Signatures of one request that are compared. It limits the work for a forged request.
    private const int MaxSignatures = 16;

    private const string Missing = "missing";
    private const string Malformed = "malformed";
    private const string Expired = "expired";
    private const string Wrong = "wrong";

    /// <summary>Returns why a request is not from the sender, in camelCase; null if it is.</summary>
    public string? FindFault(IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        switch (source.Scheme)
        {
            case HookScheme.StandardWebhooks:
                if (One(headers, StandardId) is not { } id || One(headers, StandardTime) is not { } time)
                    return Missing;
                if (One(headers, Standard) is not { } list)
                    return Missing;
                return TimeFault(time, now) ?? Compare(OfStandard(list), $"{id}.{time}.", body);
            case HookScheme.Stripe:
                if (One(headers, Stripe) is not { } header)
                    return Missing;
                var (signed, signatures) = OfStripe(header);
                return signed is null ? Malformed : TimeFault(signed, now) ?? Compare(signatures, signed + ".", body);
            default:
                return One(headers, source.Scheme == HookScheme.GitHub ? GitHub : source.SignatureHeader) is { } digest
                    ? Compare([Bytes(digest)], "", body)
                    : Missing;
        }
    }

    private static string? One(IHeaderDictionary headers, string name) => headers[name] is [{ Length: > 0 } value] ? value : null;

    private string? TimeFault(string text, DateTimeOffset now)
    {
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return Malformed;
        var (current, tolerance) = (now.ToUnixTimeSeconds(), (long)source.Tolerance.TotalSeconds);
        return seconds >= current - tolerance && seconds <= current + tolerance ? null : Expired;
    }

    private string? Compare(IEnumerable<byte[]?> signatures, string prefix, ReadOnlySpan<byte> body)
    {
        var given = signatures.OfType<byte[]>().Where(static one => one.Length == HMACSHA256.HashSizeInBytes).Take(MaxSignatures).ToList();
        if (given.Count == 0)
            return Malformed;
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var key in keys)
        {
            using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
            hash.AppendData(Encoding.UTF8.GetBytes(prefix));
            hash.AppendData(body);
            hash.GetHashAndReset(expected);
            foreach (var one in given)
            {
                if (CryptographicOperations.FixedTimeEquals(expected, one))
                    return null;
            }
        }
        return Wrong;
    }

    // "v1,BASE64 v1,BASE64". Other versions are other algorithms.
    private static IEnumerable<byte[]?> OfStandard(string list) =>
        list.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(static one => one.StartsWith("v1,", StringComparison.Ordinal))
            .Select(static one => Bytes(one["v1,".Length..]));

    // "t=1700000000,v1=HEX,v1=HEX,v0=HEX"
    private static (string? Time, List<byte[]?> Signatures) OfStripe(string header)
    {
        string? time = null;
        var signatures = new List<byte[]?>();
        foreach (var part in header.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith("t=", StringComparison.Ordinal))
                time = part["t=".Length..];
            else if (part.StartsWith("v1=", StringComparison.Ordinal))
                signatures.Add(Bytes(part["v1=".Length..]));
        }
        return (time, signatures);
    }

    // A digest has 64 hexadecimal digits or 44 characters of base64, so its length tells them apart.
    private static byte[]? Bytes(string text)
    {
        if (text.StartsWith(DigestPrefix, StringComparison.OrdinalIgnoreCase))
            text = text[DigestPrefix.Length..];
        var digest = new byte[HMACSHA256.HashSizeInBytes];
        var isValid =
            text.Length == 2 * digest.Length
                ? Convert.FromHexString(text, digest, out _, out _) == System.Buffers.OperationStatus.Done
                : Convert.TryFromBase64String(text, digest, out var count) && count == digest.Length;
        return isValid ? digest : null;
    }
}
