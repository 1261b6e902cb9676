using System.Buffers;
using System.Text.Json;
using Dunlin.Client.Streams;

namespace Dunlin.Client;

/// <summary>Publishes events, and repeats a publish without a known outcome with the same idempotency key. Thread-safe.</summary>
internal sealed class Publisher(ClientRequests requests)
{
    public async Task<PublishResult> PublishAsync(
        IReadOnlyList<OutgoingEvent> events,
        string? idempotencyKey,
        CancellationToken cancellationToken
    )
    {
        if (idempotencyKey is not null && (idempotencyKey.Length is 0 or > 100 || !StreamPosition.IsHeaderSafe(idempotencyKey)))
            throw new ArgumentException(
                $"'{idempotencyKey}' is no idempotency key. Use 1 to 100 visible ASCII characters.",
                nameof(idempotencyKey)
            );
        var body = Serialize(events);
        // A late transient event is worse than none, and the server keeps no key for it.
        var attempts = events.All(static item => item.IsTransient) ? 1 : requests.Options.PublishAttempts;
        var key = idempotencyKey ?? (attempts > 1 ? Guid.NewGuid().ToString("N") : null);
        (string, string)? header = key is null ? null : ("Idempotency-Key", key);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await requests
                    .SendAsync(HttpMethod.Post, "/dunlin/v1/events", body, header, cancellationToken)
                    .ConfigureAwait(false);
                return answer.Read(ClientJson.Default.PublishResult);
            }
            catch (DunlinClientException exception) when (exception.Problem.IsTemporary && attempt < attempts)
            {
                var random = requests.Options.NextRandom();
                var delay = exception.Problem.RetryAfter is { } after
                    ? after + TimeSpan.FromMilliseconds(Math.Round(random * 1000))
                    : Backoff.Delay(attempt - 1, random);
                requests.Logger.PublishRepeated(new QuotedText(exception.Problem.Code), attempt + 1, delay);
                await Task.Delay(delay, requests.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static ReadOnlyMemory<byte> Serialize(IReadOnlyList<OutgoingEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
            throw new ArgumentException("A publish has at least one event.", nameof(events));
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            // One event is no array, so that the field of an error is `type` and not `[0].type`.
            if (events.Count > 1)
                writer.WriteStartArray();
            foreach (var item in events)
                item.Write(writer);
            if (events.Count > 1)
                writer.WriteEndArray();
        }
        return buffer.WrittenMemory;
    }
}
