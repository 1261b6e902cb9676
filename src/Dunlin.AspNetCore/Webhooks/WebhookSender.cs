using System.Net;
using System.Net.Http.Headers;
using Dunlin.Journal;
using Dunlin.Outbound;

namespace Dunlin.Webhooks;

/// <summary>Sends one message to an endpoint. Thread-safe.</summary>
internal sealed class WebhookSender(OutboundSender sender, StoreClock clock, TimeSpan timeout)
{
    /// <summary>The maximum delay that a receiver can ask for with <c>Retry-After</c>.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(24);

    /// <exception cref="OperationCanceledException">The token was cancelled. All other faults are in the result.</exception>
    public async Task<WebhookResult> SendAsync(
        WebhookRow endpoint,
        string id,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "Dunlin-Webhooks");
        WebhookFormat.Sign(request, endpoint, id, body.Span, clock.Now);
        var result = await sender.SendAsync(request, timeout, cancellationToken);
        if (result.IsSuccess)
            return new WebhookResult(result.Status, null, null);
        var isLater = result.Status is (int)HttpStatusCode.TooManyRequests or (int)HttpStatusCode.ServiceUnavailable;
        return new WebhookResult(
            result.Status,
            result.Fault ?? $"status {result.Status}",
            isLater && result.RetryAfter is { } asked ? (asked < MaxRetryAfter ? asked : MaxRetryAfter) : null
        );
    }
}

/// <summary>The result of an attempt. Immutable.</summary>
/// <param name="Status">The status of the answer; 0 without one.</param>
/// <param name="Fault">Why the message was not received; null if it was.</param>
/// <param name="RetryAfter">The delay that the receiver asked for.</param>
internal sealed record WebhookResult(int Status, string? Fault, TimeSpan? RetryAfter)
{
    public bool IsGone => Status == (int)HttpStatusCode.Gone;
}
