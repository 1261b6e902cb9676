using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Publishing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Writing;

/// <summary>Serves <c>POST</c> of a stream: appends, closes, or both, in one transaction.</summary>
internal sealed class AppendEndpoint(
    IStore store,
    IJournal journal,
    StreamRights rights,
    PublishRate rate,
    EventFanout fanout,
    IOptions<DurableStreamOptions> options
)
{
    /// <summary>The largest integer that every client reads exactly.</summary>
    private const long MaxInteger = (1L << 53) - 1;

    public async Task ServeAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = await rights.RequireWriteAsync(context, name);
        var producer = ProducerOf(context.Request.Headers);
        var closes = StreamHeaders.IsClosed(context.Request);
        var body = await RequestBytes.ReadAsync(context, options.Value.MaxAppendBytes, context.RequestAborted);
        if (body.Length == 0 && !closes)
            throw StreamErrors.Invalid("The body is empty. Send the data to append, or 'Stream-Closed: true'.", "body");
        var type = body.Length == 0 ? null : context.Request.ContentType;
        if (body.Length > 0 && string.IsNullOrWhiteSpace(type))
            throw StreamErrors.Invalid("The header 'Content-Type' is missing. Send that of the stream.", "Content-Type");
        var append = new StreamAppend
        {
            Messages = Messages(body, type),
            ContentType = type,
            Producer = producer,
            Sequence = SequenceOf(context.Request.Headers),
            Closes = closes,
            Origin = caller.AsOrigin(),
        };
        var events = StreamEvents.CountOf(append.Messages);
        rate.Take(caller, events, topic);
        // The token of the request is not passed on: a cancelled append may still commit, and its caller has gone.
        var result = await fanout.Flow.RunAsync(
            caller.UserId,
            events,
            () => store.WriteAsync((unit, ct) => unit.Streams.TryAppendAsync(topic, append, ct), CancellationToken.None),
            context.RequestAborted
        );
        Answer(context.Response, result, append);
    }

    private IReadOnlyList<ReadOnlyMemory<byte>> Messages(byte[] body, string? type)
    {
        if (body.Length == 0)
            return [];
        if (!StreamEvents.IsJson(type!))
            return [body];
        var messages = JsonMessages.Read(body, options.Value.MaxMessages);
        return messages.Count > 0 ? messages : throw StreamErrors.Invalid("The array has no message. Send at least one.", "body");
    }

    private void Answer(HttpResponse response, StreamResult result, StreamAppend append)
    {
        var stream = result.Stream;
        switch (result.Outcome)
        {
            case StreamOutcome.NotFound:
                throw StreamErrors.NotFound();
            case StreamOutcome.Deleted:
                throw StreamErrors.Deleted();
            case StreamOutcome.StaleEpoch:
                StreamAnswers.Apply(response, StreamFields.ProducerEpoch, result.Producer!.Epoch);
                throw new DunlinException(
                    ErrorCode.Forbidden,
                    $"The producer's epoch is {result.Producer.Epoch}. Begin a higher epoch with sequence 0.",
                    StreamFields.ProducerEpoch
                );
            case StreamOutcome.EpochStart:
                throw StreamErrors.Invalid("A new epoch of a producer begins with sequence 0.", StreamFields.ProducerSequence);
            case StreamOutcome.SequenceGap:
                StreamAnswers.Apply(response, StreamFields.ExpectedSequence, result.Producer?.Sequence + 1 ?? 0);
                StreamAnswers.Apply(response, StreamFields.ReceivedSequence, append.Producer!.Sequence);
                throw Conflict("The producer has left out a sequence. Send the missing appends first.", StreamFields.ProducerSequence);
            case StreamOutcome.Closed:
                StreamAnswers.ApplyTail(response, journal, stream!);
                throw Conflict("The stream is closed.", null);
            case StreamOutcome.ContentTypeMismatch:
                throw Conflict($"The stream has the content type '{stream!.ContentType}'.", "Content-Type");
            case StreamOutcome.SequenceRegression:
                throw Conflict("The sequence is not greater than that of the last append.", StreamFields.Sequence);
            default:
                break;
        }
        StreamAnswers.ApplyTail(response, journal, stream!);
        if (append.Producer is not null && (result.Producer ?? Known(append.Producer)) is { } producer)
        {
            StreamAnswers.Apply(response, StreamFields.ProducerEpoch, producer.Epoch);
            StreamAnswers.Apply(response, StreamFields.ProducerSequence, producer.Sequence);
        }
        var isNew = result.Outcome == StreamOutcome.Appended && append.Producer is not null && append.Messages.Count > 0;
        response.StatusCode = isNew ? StatusCodes.Status200OK : StatusCodes.Status204NoContent;
    }

    private static StreamProducerState Known(StreamProducer producer) => new(producer.Epoch, producer.Sequence);

    private static DunlinException Conflict(string detail, string? field) => new(ErrorCode.Conflict, detail, field);

    private static string? SequenceOf(IHeaderDictionary headers) =>
        headers[StreamFields.Sequence].ToString() is { Length: > 0 } text ? text : null;

    private static StreamProducer? ProducerOf(IHeaderDictionary headers)
    {
        var (id, epoch, sequence) = (
            headers[StreamFields.ProducerId],
            headers[StreamFields.ProducerEpoch],
            headers[StreamFields.ProducerSequence]
        );
        if (id.Count == 0 && epoch.Count == 0 && sequence.Count == 0)
            return null;
        if (id.Count == 0 || epoch.Count == 0 || sequence.Count == 0)
            throw StreamErrors.Invalid("Send all of 'Producer-Id', 'Producer-Epoch' and 'Producer-Seq', or none.", StreamFields.ProducerId);
        var producer = new StreamProducer(
            id.ToString(),
            Integer(epoch.ToString(), StreamFields.ProducerEpoch),
            Integer(sequence.ToString(), StreamFields.ProducerSequence)
        );
        producer.Check();
        return producer;
    }

    private static long Integer(string text, string field) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxInteger
            ? number
            : throw StreamErrors.Invalid($"'{field}' must be an integer from 0 to 2^53-1.", field);
}
