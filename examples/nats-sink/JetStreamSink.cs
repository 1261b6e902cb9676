using Dunlin.Consumers;
using Dunlin.Journal;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace NatsSink;

/// <summary>Publishes events to a stream of NATS JetStream, in order. NATS removes repetitions by the position.</summary>
public sealed class JetStreamSink(INatsJSContext jetStream) : IEventConsumer
{
    public const string Stream = "DUNLIN";

    private bool _isReady;

    public async ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        if (!_isReady)
            await CreateStreamAsync(cancellationToken);
        foreach (var entry in batch.Events)
        {
            var headers = new NatsHeaders { ["Dunlin-Topic"] = entry.Topic.Value, ["Dunlin-Type"] = entry.Type };
            var options = new NatsJSPubOpts { MsgId = entry.Position.ToString() };
            // The next event waits for the answer: if this one fails, NATS must not have a later one.
            var answer = await jetStream.PublishAsync(SubjectOf(entry), entry.Data, null, options, headers, cancellationToken);
            // Not EnsureSuccess: it refuses a message that NATS has already, and that is what a repetition finds.
            if (answer.Error is { } error)
                throw new NatsJSApiException(error);
        }
    }

    // The dots of NATS separate segments, as the slashes of Dunlin do.
    public static string SubjectOf(DunlinEvent entry) =>
        "dunlin." + entry.Topic.Value.Replace(".", "%2E", StringComparison.Ordinal).Replace('/', '.');

    private async Task CreateStreamAsync(CancellationToken cancellationToken)
    {
        await jetStream.CreateOrUpdateStreamAsync(
            new StreamConfig(Stream, ["dunlin.>"])
            {
                Storage = StreamConfigStorage.File,
                DuplicateWindow = TimeSpan.FromHours(1), // longer than the longest outage of NATS or of all nodes
            },
            cancellationToken
        );
        _isReady = true;
    }
}
