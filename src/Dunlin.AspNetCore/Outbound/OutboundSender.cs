using System.Net.Sockets;

namespace Dunlin.Outbound;

/// <summary>The result of a request. Immutable.</summary>
/// <param name="Status">The status of the answer; 0 without an answer.</param>
/// <param name="Body">The beginning of the body.</param>
/// <param name="Fault">Why there is no answer; null if there is one.</param>
internal sealed record OutboundResult(int Status, ReadOnlyMemory<byte> Body, string? Fault)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Gets the delay of the header <c>Retry-After</c>; null without one.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>Sends requests to URLs that users chose, such as webhooks. Its answers are limited in size and time. Thread-safe.</summary>
internal sealed class OutboundSender(OutboundRules rules, TimeProvider time, OutboundLookup? lookup = null) : IDisposable
{
    private const int MaxBody = 64 * 1024;

    private readonly HttpClient _client = new(OutboundHandler.Create(rules, lookup)) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Sends a request, and reads at most the first 64 KiB of the answer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="timeLimit">The time for resolution, connection, request and answer.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled. All other faults are in the result.</exception>
    public async Task<OutboundResult> SendAsync(HttpRequestMessage request, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            await using var body = await response.Content.ReadAsStreamAsync(both.Token);
            var bytes = new byte[MaxBody];
            var length = await body.ReadAtLeastAsync(bytes, MaxBody, throwOnEndOfStream: false, both.Token);
            var retry = response.Headers.RetryAfter;
            return new OutboundResult((int)response.StatusCode, bytes.AsMemory(0, length), null)
            {
                RetryAfter = retry?.Delta ?? retry?.Date - time.GetUtcNow(),
            };
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fault = limit.IsCancellationRequested ? $"no answer within {timeLimit.TotalSeconds:0} s" : error.Message;
            return new OutboundResult(0, default, fault);
        }
    }

    public void Dispose() => _client.Dispose();
}
