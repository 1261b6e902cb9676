using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Sse;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams.Combined;

/// <summary>Serves <c>POST /dunlin/v1/streams</c>, which opens one response with several event streams, and <c>POST
/// /dunlin/v1/streams/{id}</c>, which changes that response while it is open. Thread-safe.</summary>
/// <remarks>Browsers open at most six HTTP/1.1 connections to a host. One response for all streams leaves connections for other
/// requests.</remarks>
internal sealed partial class CombinedStreams(
    StreamLimits limits,
    InnerRequests requests,
    EventFanout fanout,
    IOptions<EventStreamOptions> options,
    IServiceProvider services,
    ILogger<CombinedStreams> log
)
{
    /// <summary>The maximum size of a request body in bytes: some hundred paths, or a few of the maximum length.</summary>
    private const int MaxBytes = 1024 * 1024;

    private readonly ConcurrentDictionary<string, CombinedBody> _open = new(StringComparer.Ordinal);

    /// <summary>Gets the number of open combined responses of this node.</summary>
    public int Count => _open.Count;

    public async Task OpenAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        if (fanout.IsDraining)
            throw new DunlinException(ErrorCode.Draining);
        var wishes = (await RequestBody.ReadAsync<CombinedOpening>(context, MaxBytes, context.RequestAborted)).Streams;
        StreamWish.CheckAll(wishes, "streams");
        if (wishes.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "'streams' is empty. Name at least one stream.", "streams");
        using var place = limits.Enter(caller.UserId, context.Connection.RemoteIpAddress?.ToString() ?? "");
        var sink = new PipeFrameSink(context, mayLeave: false);
        var body = new CombinedBody(
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12)),
            caller,
            sink,
            StreamSockets.Own(context),
            options.Value.MaxCombined
        );
        var streams = Add(body, wishes, [], "streams");
        _open[body.Id] = body;
        try
        {
            StreamSockets.CloseWhenUnacknowledged(context, fanout.Options.WriteTimeout);
            StreamHeaders.Apply(context, body.Id, sink);
            await body.WriteAsync(StreamHeaders.FirstBytes);
            Start(context, body, wishes, streams);
            await using var gone = context.RequestAborted.UnsafeRegister(static b => ((CombinedBody)b!).Abort(), body);
            await body.Ended;
            // Before the end of the body, so that a client that has seen the end finds the response neither open nor counted.
            _open.TryRemove(body.Id, out _);
            place.Dispose();
            if (!body.IsGone)
                await sink.EndAsync();
        }
        finally
        {
            _open.TryRemove(body.Id, out _);
            sink.Detach();
        }
    }

    /// <summary>Answers 204. The combined response itself reports the result of each stream.</summary>
    public async Task ChangeAsync(HttpContext context, string id)
    {
        var caller = context.RequireCaller();
        var change = await RequestBody.ReadAsync<CombinedChange>(context, MaxBytes, context.RequestAborted);
        var wishes = change.Open ?? [];
        StreamWish.CheckAll(wishes, "open");
        if (!_open.TryGetValue(id, out var body) || !body.IsOf(caller))
            throw Unknown(Excerpt.Of(id));
        var closing = (change.Close ?? [])
            .Select(static s => s ?? throw new DunlinException(ErrorCode.InvalidField, "A stream id must be a string.", "close"))
            .ToHashSet(StringComparer.Ordinal);
        // Adds before it closes: the response would end with its last stream, and a refused change must change nothing.
        var added = Add(body, wishes, closing, "open");
        foreach (var streamId in closing)
            body.Close(streamId);
        Start(context, body, wishes, added);
        // Lets the client tell a dead connection from streams that open slowly.
        _ = body.WriteAsync(StreamHeaders.FirstBytes);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private List<InnerSink> Add(CombinedBody body, IReadOnlyList<StreamWish> wishes, IReadOnlyCollection<string> closing, string field)
    {
        switch (body.Add(wishes.Select(static wish => wish.Id), closing, out var added, out var which))
        {
            case AddResult.Over:
                throw Unknown(body.Id);
            case AddResult.Taken:
                throw new DunlinException(
                    ErrorCode.InvalidField,
                    $"The stream id '{which}' is in use. Choose a new id for each stream.",
                    field
                );
            case AddResult.Full:
                var limit = options.Value.MaxCombined;
                throw new DunlinException(ErrorCode.TooManyConnections, $"The limit is {limit} streams in one response.")
                {
                    RetryAfter = options.Value.RetryAfter,
                    Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
                };
            default:
                return added;
        }
    }

    private void Start(HttpContext outer, CombinedBody body, IReadOnlyList<StreamWish> wishes, List<InnerSink> streams)
    {
        foreach (var (wish, stream) in wishes.Zip(streams))
        {
            var features = InnerRequests.Prepare(outer, stream, wish);
            // The outer request's context accessor and activity end with that request, so they must not flow into the inner request.
            using (ExecutionContext.SuppressFlow())
                _ = Task.Run(() => RunAsync(body, stream, features));
        }
    }

    private async Task RunAsync(CombinedBody body, InnerSink stream, FeatureCollection features)
    {
        ReadOnlyMemory<byte> last;
        try
        {
            last = await requests.RunAsync(services, features, stream) ?? CombinedBlocks.Ended(stream.Id);
            if (stream.Connection is { } connection)
                await connection.Completion;
        }
        catch (OperationCanceledException) when (stream.IsClosing)
        {
            last = CombinedBlocks.Ended(stream.Id); // the client has closed the stream, or has left
        }
#pragma warning disable CA1031 // any exception ends this stream only
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(error, stream.Id);
            last = CombinedBlocks.Ended(stream.Id);
            stream.Close();
        }
        await body.RemoveAsync(stream, last);
    }

    private static DunlinException Unknown(string id) =>
        new(
            ErrorCode.NotFound,
            $"No combined response with id '{id}' of yours on this node. Open a new one with all of its streams.",
            "id"
        );

    [LoggerMessage(3110, LogLevel.Error, "Opening stream {StreamId} of a combined response failed. The client opens it again.")]
    private partial void LogFailed(Exception error, PeerText streamId);
}
