using System.Globalization;
using Dunlin.TestKit;
using StandardWebhooks;

namespace Dunlin.AspNetCore.Tests.Webhooks;

/// <summary>Verifies signatures of received messages with the library of the specification.</summary>
internal static class MessageSignature
{
    public static bool IsSignedBy(this WebhookReceiver.Message message, string secret)
    {
        // The library compares with the wall clock, so the signature alone is compared at a time of the test.
        var time = DateTimeOffset.FromUnixTimeSeconds(long.Parse(message.Headers["webhook-timestamp"], CultureInfo.InvariantCulture));
        Assert.InRange(time, message.At - TimeSpan.FromMinutes(5), message.At + TimeSpan.FromMinutes(5));
        var expected = new StandardWebhook(secret).Sign(message.Id, time, message.Body);
        return message.Headers["webhook-signature"].Split(' ').Contains(expected, StringComparer.Ordinal);
    }
}
