using System.Globalization;
using System.Text;
using Dunlin.Access;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Sse;
using Dunlin.Streams.Combined;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Streams;

/// <summary>Serves event streams, those of the engine and those of applications. Thread-safe.</summary>
/// <remarks>HTML Living Standard, section 9.2 (server-sent events).</remarks>
public sealed class EventStreams
{
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

    /// <summary>Answers the request with an event stream.</summary>
    /// <param name="context">The request.</param>
    /// <param name="request">The topics and options of the stream.</param>
    /// <remarks>
    /// The stream resumes after the position in <c>Last-Event-ID</c> or <c>lastEventId</c>. With the query parameter <c>wait</c>, the
    /// response is a long poll: it ends after the first batch of events or after this number of seconds. <c>HEAD</c> receives the headers
    /// of a stream and opens none. A request for a WebSocket with the subprotocol <c>dunlin.v1</c> receives the frames as text
    /// messages. The method sends nothing before all checks have passed, so a refusal is an ordinary problem response.
    /// <para>
    /// The task completes at the end of the stream. Over <see cref="Transport.DirectTransport"/> it completes earlier: when the stream has
    /// caught up and has left the web server. <see cref="EventStreamConnection.Completion"/> then reports the end.
    /// </para>
    /// </remarks>
    /// <exception cref="DunlinException">
    /// <list type="bullet">
    /// <item><see cref="ErrorCode.NotSignedIn"/>: the request has no caller, or its credential has been revoked.</item>
    /// <item><see cref="ErrorCode.Forbidden"/>: the caller may not read a topic or pattern; the error names it.</item>
    /// <item><see cref="ErrorCode.TooManyTopics"/> or <see cref="ErrorCode.TooManyConnections"/>: a limit is reached.</item>
    /// <item><see cref="ErrorCode.InvalidField"/>: the request names no topic, <c>wait</c> is not a number of seconds, or the body has not
    /// been read to its end.</item>
    /// <item><see cref="ErrorCode.Draining"/>: the node is shutting down.</item>
    /// </list>
    /// </exception>
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
        if (WebSocketHandshake.IsRequested(context.Request))
        {
            await ServeWebSocketAsync(context, request, caller);
            return;
        }
        if (Wait(context, request) is { } wait)
        {
            await PollAsync(context, request, caller, wait);
            return;
        }
        await StreamResponse.ServeAsync(
            context,
            _limits,
            caller.UserId,
            sink => OpenAsync(context, request, sink, opened => Begin(context, request, opened.Connection, sink), caller)
        );
    }

    private Task ServeWebSocketAsync(HttpContext context, StreamRequest request, Caller caller)
    {
        WebSocketHandshake.Require(context);
        return StreamResponse.ServeWebSocketAsync(
            context,
            _limits,
            caller.UserId,
            _fanout,
            sink =>
                OpenAsync(
                    context,
                    request.HeartbeatFrame is null ? request with { HeartbeatFrame = static _ => WebSocketFrames.Heartbeat } : request,
                    sink,
                    opened =>
                    {
                        Limit(context, request);
                        WebSocketHandshake.Accept(context);
                        context.Response.Headers["Dunlin-Connection"] = opened.Connection.Id;
                    },
                    caller
                )
        );
    }

    private Task PollAsync(HttpContext context, StreamRequest request, Caller caller, TimeSpan wait) =>
        PollResponse.ServeAsync(
            context,
            _limits,
            caller.UserId,
            _fanout,
            async sink =>
            {
                // The heartbeat completes a poll that has received nothing.
                var poll = request with
                {
                    Heartbeat = wait,
                    HeartbeatFrame = Comment,
                };
                var connection = await OpenAsync(
                    context,
                    poll,
                    sink,
                    opened =>
                    {
                        (sink.AnswersAtOnce, sink.Epoch) = (!opened.IsResumed, opened.Position.Epoch);
                        StreamSockets.CloseWhenUnacknowledged(context, _fanout.Options.WriteTimeout);
                    },
                    caller
                );
                if (wait <= TimeSpan.Zero)
                    connection.Close(ConnectionEnd.Answered);
                return connection;
            }
        );

    /// <summary>Returns the time for which a request may wait for events, or null if it asks for a stream.</summary>
    private TimeSpan? Wait(HttpContext context, StreamRequest request)
    {
        var text = request.Wait ?? (string?)context.Request.Query["wait"];
        if (string.IsNullOrEmpty(text))
            return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"'wait' must be a number of whole seconds, such as 25; it is '{text}'.",
                "wait"
            );
        var wait = TimeSpan.FromSeconds(seconds);
        return wait < _options.MaxWait ? wait : _options.MaxWait;
    }

    /// <summary>Serves a stream of a combined response. The limits count the response, not its streams; see
    /// <see cref="CombinedStreams"/>.</summary>
    private async Task ServeInnerAsync(HttpContext context, StreamRequest request, InnerSink inner, Caller caller)
    {
        if (!string.Equals(caller.UserId, inner.UserId, StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.Forbidden, "All streams of one response must belong to one user.");
        if (request.Conflates)
            inner.LimitSendBuffer();
        await OpenAsync(context, request, inner, opened => inner.Begin(opened.Connection), caller);
    }

    private void Begin(HttpContext context, StreamRequest request, EventStreamConnection connection, PipeFrameSink sink)
    {
        Limit(context, request);
        StreamHeaders.Apply(context, connection.Id, sink);
    }

    private void Limit(HttpContext context, StreamRequest request)
    {
        StreamSockets.CloseWhenUnacknowledged(context, _fanout.Options.WriteTimeout);
        if (request.Conflates)
            StreamSockets.LimitSendBuffer(StreamSockets.Own(context));
    }

    /// <summary>Opens the stream. The task completes when the stream has caught up or is closed.</summary>
    private async Task<EventStreamConnection> OpenAsync(
        HttpContext context,
        StreamRequest request,
        IFrameSink sink,
        Action<StreamOpening> begin,
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
            // Permissions may have been revoked between the first check and the registration. From here on the connection receives access
            // changes.
            await CheckTopicsAsync(caller, new AskedTopics(request.Topics, request.Patterns), context.RequestAborted);
            if (_revocations?.IsRevoked(caller) == true)
                throw new DunlinException(ErrorCode.NotSignedIn);
            var opening = new StreamOpening(connection, start, isResumed);
            // A page cannot read the headers of a WebSocket.
            if (sink is WebSocketOpening)
                opening.WriteRaw(Encoding.ASCII.GetBytes($":connection {connection.Id}\n\n"));
            else
                opening.WriteRaw(StreamHeaders.FirstBytes.Span);
            opening.WriteRaw(ControlFrames.Retry(_options.Retry * (1 + Random.Shared.NextDouble())).Span);
            opening.WriteRaw("\n"u8);
            if (reset is { } reason)
                opening.WriteRaw(ControlFrames.Reset(reason, start).Span);
            if (request.OnOpen is { } onOpen)
                await onOpen(opening, context.RequestAborted);
            begin(opening);
            await using var aborted = StreamResponse.CloseWhenGone(context, connection);
            await _fanout.StartAsync(connection, opening.Bytes, start);
            return connection;
        }
        catch
        {
            StreamResponse.Abandon(connection, sink);
            throw;
        }
    }

    private static ReadOnlyMemory<byte> Comment(DateTimeOffset now) => StreamHeaders.FirstBytes;

    private ValueTask CheckTopicsAsync(Caller caller, AskedTopics asked, CancellationToken cancellationToken)
    {
        if (asked.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "The request has no 'topic'. Name at least one topic or pattern.", "topic");
        if (asked.Count > _options.MaxTopics)
            throw new DunlinException(
                ErrorCode.TooManyTopics,
                $"The request has {asked.Count} topics; the limit for one stream is {_options.MaxTopics}.",
                "topic"
            );
        return asked.RequireReadAsync(_policies, caller, cancellationToken);
    }

    // A native EventSource sends the last id of any server it was connected to before, and stops for ever after a 400. An unknown id is
    // therefore treated like a lost position.
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
