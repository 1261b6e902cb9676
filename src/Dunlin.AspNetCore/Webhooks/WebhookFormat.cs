using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Webhooks;

/// <summary>The body and the signatures of a message, by the specification Standard Webhooks 1.0.</summary>
internal static class WebhookFormat
{
    public const string SecretPrefix = "whsec_";

    /// <summary>The number of random bytes of a secret. The specification recommends 24 to 64.</summary>
    private const int SecretBytes = 32;

    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Returns the id of the message of an event. It is the same in all attempts and for all endpoints.</summary>
    public static string IdOf(Position position) => $"msg_{position}";

    /// <summary>Returns the body of the message of an event.</summary>
    public static byte[] BodyOf(DunlinEvent entry)
    {
        var buffer = new ArrayBufferWriter<byte>(entry.Data.Length + 256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", entry.Type);
            json.WriteString("timestamp", entry.Time.UtcDateTime);
            json.WriteString("topic", entry.Topic.Value);
            json.WriteString("position", entry.Position.ToString());
            json.WritePropertyName("data");
            if (entry.Format == EventFormat.Json)
                json.WriteRawValue(entry.Data.Span, skipInputValidation: true);
            else if (entry.Format == EventFormat.Text)
                json.WriteStringValue(entry.Data.Span);
            else
                json.WriteBase64StringValue(entry.Data.Span);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Adds the three headers of the specification.</summary>
    public static void Sign(HttpRequestMessage request, WebhookRow endpoint, string id, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var time = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{time}."), .. body];
        var signatures = endpoint
            .Secrets.Where(secret => secret.ExpiresAt is not { } end || end > now)
            .Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(KeyOf(secret.Value), signed)));
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", time);
        request.Headers.TryAddWithoutValidation("webhook-signature", string.Join(' ', signatures));
    }

    private static byte[] KeyOf(string secret) => Convert.FromBase64String(secret[SecretPrefix.Length..]);
}
