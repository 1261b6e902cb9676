using Dunlin.Access;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Sse;
using Dunlin.Streams.Combined;
using Dunlin.Topics;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary>
/// Serves event streams: the engine's own endpoint and the applications' go through here. Safe for concurrent use.
/// </summary>
public sealed class EventStreams
{
    /// <summary>What the kernel may hold for a peer that conflates, in bytes: nothing in there can be superseded any more, and by itself
    /// it would take megabytes.</summary>
    private const int ConflatedSendBuffer = 32 * 1024;

    private readonly EventFanout _fanout;
    private readonly AccessPolicies _policies;
    private readonly StreamLimits _limits;
    private readonly EventStreamOptions _options;
    private readonly Revocations? _revocations;

    internal EventStreams(
        EventFanout fanout,
        AccessPolicies policies,
        StreamLimits limits,
        IOptions<EventStreamOptions> options,
        Revocations? revocations = null
    )
    {
        _revocations = revocations;
        _fanout = fanout;
        _policies = policies;
        _limits = limits;
        _options = options.Value;
    }

    /// <summary>
    /// Answers the request with a stream. Returns when the request is over: at the end of the stream, or, over
    /// <see cref="Transport.DirectTransport"/>, as soon as the stream is up to date and has left the web server; its end is
    /// <see cref="Connection.Completion"/>. Resumes from <c>Last-Event-ID</c> or <c>lastEventId</c>. <c>HEAD</c> is answered with the
    /// headers of a stream, and opens none. Nothing is sent before every
    /// check has passed, so that a refusal is an ordinary problem answer.
    /// </summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotSignedIn"/>, <see cref="ErrorCode.Forbidden"/> naming the topic or
    /// pattern,
    /// <see cref="ErrorCode.TooManyTopics"/>, <see cref="ErrorCode.TooManyConnections"/>,
    /// <see cref="ErrorCode.InvalidField"/> where the request has a body that has not been read to its end,
    /// <see cref="ErrorCode.Draining"/>.</exception>
    public async Task ServeAsync(HttpContext context, StreamRequest request)
    {
        var caller = context.RequireCaller();
        await CheckTopicsAsync(caller, new AskedTopics(request.Topics, request.Patterns), context.RequestAborted);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            StreamHeaders.Apply(context.Response);
            return;
        }
        if (context.Features.Get<InnerSink>() is { } inner)
        {
            await ServeInnerAsync(context, request, inner, caller);
            return;
        }
        await RequestRest.RequireNoneAsync(context);
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "";
        var place = _limits.Enter(caller.UserId, address);
        PipeFrameSink? sink = null;
        var keepsPlace = false;
        try
        {
            var opening = sink = new PipeFrameSink(context);
            var connection = await OpenAsync(context, request, sink, opened => Begin(context, request, opened, opening), caller);
            if (sink.Successor is { } taken)
            {
                keepsPlace = true;
                _ = EndAsync(connection, taken, place);
                return;
            }
            await using var gone = context.RequestAborted.UnsafeRegister(
                static c => ((Connection)c!).Close(ConnectionEnd.Gone),
                connection
            );
            if (await connection.Completion != ConnectionEnd.Gone)
                await sink.EndAsync();
        }
        finally
        {
            sink?.Detach();
            if (!keepsPlace)
                place.Dispose();
        }
    }

    /// <summary>The stream is one of a combined response, which counts as one: see <see cref="CombinedStreams"/>.</summary>
    private async Task ServeInnerAsync(HttpContext context, StreamRequest request, InnerSink inner, Caller caller)
    {
        if (!string.Equals(caller.UserId, inner.UserId, StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.Forbidden, "All streams of one response are one user's.");
        if (request.Conflates)
            inner.LimitSendBuffer();
        await OpenAsync(context, request, inner, inner.Begin, caller);
    }

    private static void Begin(HttpContext context, StreamRequest request, Connection connection, PipeFrameSink sink)
    {
        if (request.Conflates)
            LimitSendBuffer(context);
        StreamHeaders.Apply(context, connection.Id, sink);
    }

    /// <summary>The rest of a stream that has left the web server.</summary>
    private static async Task EndAsync(Connection connection, SocketFrameSink sink, StreamLimits.ConnectionSlot place)
    {
        try
        {
            sink.End(isGone: await connection.Completion == ConnectionEnd.Gone);
        }
        finally
        {
            place.Dispose();
        }
    }

    /// <summary>Opens the stream, and goes on until it is up to date, or closed.</summary>
    private async Task<Connection> OpenAsync(
        HttpContext context,
        StreamRequest request,
        IFrameSink sink,
        Action<Connection> begin,
        Caller caller
    )
    {
        var connection = _fanout.Open(
            new ConnectionRequest(caller, request.Topics, sink)
            {
                Patterns = request.Patterns,
                Format = request.Format,
                Exclusion = request.Exclusion,
                Conflates = request.Conflates,
                IsPresent = request.IsPresent,
                Heartbeat = request.Heartbeat ?? _options.Heartbeat,
                HeartbeatFrame = request.HeartbeatFrame ?? Comment,
                RemoteAddress = context.Connection.RemoteIpAddress?.ToString(),
            }
        );
        try
        {
            var (start, isResumed, reset) = await LocateAsync(context, request);
            // Rights may have shrunk between the check and the registration; from here on changes reach the connection.
            await CheckTopicsAsync(caller, new AskedTopics(request.Topics, request.Patterns), context.RequestAborted);
            if (_revocations?.IsRevoked(caller) == true)
                throw new DunlinException(ErrorCode.NotSignedIn);
            var opening = new StreamOpening(connection, start, isResumed);
            opening.WriteRaw(StreamHeaders.FirstBytes.Span);
            opening.WriteRaw(ControlFrames.Retry(_options.Retry * (1 + Random.Shared.NextDouble())).Span);
            opening.WriteRaw("\n"u8);
            if (reset is { } reason)
                opening.WriteRaw(ControlFrames.Reset(reason, start).Span);
            if (request.OnOpen is { } onOpen)
                await onOpen(opening, context.RequestAborted);
            begin(connection);
            await using var aborted = context.RequestAborted.UnsafeRegister(
                static c => ((Connection)c!).Close(ConnectionEnd.Gone),
                connection
            );
            await _fanout.StartAsync(connection, opening.Bytes, start);
            return connection;
        }
        catch
        {
            if (sink is PipeFrameSink single)
            {
                single.Detach();
                single.Successor?.Abort();
            }
            connection.Abandon();
            throw;
        }
    }

    // Over HTTP/2 the socket carries other answers too, and its flow control keeps what the kernel is handed small.
    private static void LimitSendBuffer(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<IConnectionSocketFeature>() is { } feature)
            feature.Socket.SendBufferSize = ConflatedSendBuffer;
    }

    private static ReadOnlyMemory<byte> Comment(DateTimeOffset now) => StreamHeaders.FirstBytes;

    private ValueTask CheckTopicsAsync(Caller caller, AskedTopics asked, CancellationToken cancellationToken)
    {
        if (asked.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "A stream needs one topic at least.", "topic");
        if (asked.Count > _options.MaxTopics)
            throw new DunlinException(
                ErrorCode.TooManyTopics,
                $"A stream has at most {_options.MaxTopics} topics; this one asks for {asked.Count}.",
                "topic"
            );
        return asked.RequireReadAsync(_policies, caller, cancellationToken);
    }

    // A native EventSource sends the last id of whatever answered it before and never comes back after a 400, so an id that is none of
    // this server's is answered like a lost position.
    private async ValueTask<(Position Start, bool IsResumed, ResetReason? Reset)> LocateAsync(HttpContext context, StreamRequest request)
    {
        var text =
            (string?)context.Request.Headers["Last-Event-ID"] ?? (string?)context.Request.Query["lastEventId"] ?? request.LastEventId;
        var isGiven = !string.IsNullOrEmpty(text);
        Position? resume = Position.TryParse(text, out var position) ? position : null;
        var (start, reset) = await _fanout.LocateAsync(resume, context.RequestAborted);
        if (isGiven && resume is null)
            reset = ResetReason.Unknown;
        return (start, isGiven && reset is null, reset);
    }
}
