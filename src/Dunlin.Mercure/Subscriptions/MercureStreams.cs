using Dunlin.Fanout;
using Dunlin.Mercure.Matchers;
using Dunlin.Sse;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>Opens streams of updates. Thread-safe.</summary>
/// <remarks>It differs from <see cref="EventStreams"/> in its caller, its ids and its headers, and sends no control frames.</remarks>
internal sealed class MercureStreams(
    MercureHub hub,
    EventFanout fanout,
    StreamLimits limits,
    StreamStarts starts,
    SubscriptionTracker tracker,
    TimeProvider time,
    IOptions<EventStreamOptions> options
)
{
    private const string ResponseId = "Mercure-Last-Event-ID";
    private const string LegacyResponseId = "Last-Event-ID";

    /// <summary>Answers with a stream, or with its headers only for <c>HEAD</c>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="subscriber">The reader.</param>
    /// <param name="requested">The id to resume after; null for none.</param>
    public async Task ServeAsync(HttpContext context, Subscriber subscriber, string? requested)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            Apply(context.Response, subscriber, await starts.FindAsync(requested, context.RequestAborted));
            StreamHeaders.Apply(context.Response);
            return;
        }
        if (context.Request.Method != SubscribeEndpoint.QueryMethod)
            await RequestRest.RequireNoneAsync(context);
        var caller = CallerOf(subscriber);
        await StreamResponse.ServeAsync(context, limits, caller.UserId, sink => OpenAsync(context, subscriber, caller, requested, sink));
    }

    private async Task<EventStreamConnection> OpenAsync(
        HttpContext context,
        Subscriber subscriber,
        Caller caller,
        string? requested,
        PipeFrameSink sink
    )
    {
        var connection = fanout.Open(RequestOf(context, subscriber, caller, sink));
        try
        {
            var start = await starts.FindAsync(requested, context.RequestAborted);
            await tracker.BeginAsync(subscriber, connection);
            StreamSockets.CloseWhenUnacknowledged(context, fanout.Options.WriteTimeout);
            Apply(context.Response, subscriber, start);
            StreamHeaders.Apply(context, connection.Id, sink);
            context.Response.Headers.Remove("Dunlin-Connection");
            await using var aborted = StreamResponse.CloseWhenGone(context, connection);
            await fanout.StartAsync(connection, StreamHeaders.FirstBytes, start.Position);
            return connection;
        }
        catch
        {
            StreamResponse.Abandon(connection, sink);
            throw;
        }
    }

    private ConnectionRequest RequestOf(HttpContext context, Subscriber subscriber, Caller caller, PipeFrameSink sink)
    {
        var exact = subscriber.Form.Matchers.OfType<ExactMatcher>().Select(static matcher => TopicName.ForText(matcher.Text)).Distinct();
        var others = subscriber.Form.Matchers.Where(static matcher => matcher is not ExactMatcher);
        var check = subscriber.Access is { } access ? hub.CheckOf(access.Grants) : null;
        return new ConnectionRequest(caller, [.. exact], sink)
        {
            Selectors = [.. others.Select(matcher => MatcherSelector.Of(matcher, hub)).Distinct()],
            MayRead = check is null ? null : check.MayRead,
            SendsControlFrames = false,
            Format = MercureFormat.Instance,
            Heartbeat = options.Value.Heartbeat,
            RemoteAddress = context.Connection.RemoteIpAddress?.ToString(),
        };
    }

    private Caller CallerOf(Subscriber subscriber)
    {
        var latest = time.GetUtcNow() + hub.Options.MaxStreamDuration;
        var id = subscriber.Access?.UserId ?? $"mercure:{subscriber.Id}";
        return new Caller(id, subscriber.Access is null ? "anonymous" : id)
        {
            ExpiresAt = subscriber.Access?.ExpiresAt is { } expires && expires < latest ? expires : latest,
        };
    }

    private void Apply(HttpResponse response, Subscriber subscriber, StreamStart start)
    {
        if (start.Id is null)
            return;
        if (hub.Speaks(MercureDialects.Version1))
            response.Headers[ResponseId] = start.Id;
        if (subscriber.Form.Dialect == MercureDialects.Version0)
            response.Headers[LegacyResponseId] = start.Id;
    }
}
