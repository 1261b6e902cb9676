using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>Requires the rights on the streams of subscriptions. Thread-safe.</summary>
/// <remarks>Wakes name streams and offsets and hold no data. A worker reads the data with its own credentials.</remarks>
internal sealed class SubscriptionRights(AccessPolicies policies, StreamRights streams, IOptions<DurableStreamOptions> options)
{
    private string Prefix => options.Value.TopicPrefix;

    /// <summary>Returns the topic of a stream that a body or path names.</summary>
    /// <exception cref="SubscriptionFault">The name is not valid.</exception>
    public TopicName TopicOf(string? path, string field)
    {
        var segments = (path ?? "").Trim('/').Split('/');
        if (segments.Any(static segment => segment.Length == 0) || segments[0] == StreamName.Reserved)
            throw SubscriptionFault.Invalid($"'{field}' must name a stream relative to all streams, such as 'events/abc'.");
        try
        {
            return TopicName.Of([.. Prefix.Split('/'), .. segments]);
        }
        catch (DunlinException exception)
        {
            throw SubscriptionFault.Invalid($"'{field}' is not the name of a stream: {exception.Message}");
        }
    }

    public async ValueTask RequireReadAsync(Caller caller, IEnumerable<TopicName> topics, CancellationToken cancellationToken)
    {
        foreach (var topic in topics)
            await streams.RequireReadAsync(caller, topic, cancellationToken);
    }

    /// <summary>Requires the right to read all streams that a pattern can match, now and later.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Forbidden"/>: the caller may not.</exception>
    public async ValueTask RequireReadAllAsync(Caller caller, StreamGlob glob, CancellationToken cancellationToken)
    {
        if (!glob.HasWildcard || (glob.HasRest && glob.Literal.Length > Prefix.Length))
            await streams.RequireReadAsync(caller, TopicName.Parse(glob.Literal), cancellationToken);
        if (!glob.HasWildcard)
            return;
        var pattern = TopicPattern.Parse(glob.HasRest ? glob.Literal + "/**" : glob.Text);
        if (!await policies.MayReadAllAsync(caller, pattern, cancellationToken))
            throw new DunlinException(ErrorCode.Forbidden, $"You do not have permission to read all topics of '{pattern}'.", "pattern");
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.Forbidden"/>: the caller may not.</exception>
    public async ValueTask RequireWakeAsync(Caller caller, TopicName topic, CancellationToken cancellationToken)
    {
        if (!await policies.MayPublishAsync(caller, topic, cancellationToken))
            throw new DunlinException(ErrorCode.Forbidden, $"You do not have permission to publish to '{topic}'.", "wake_stream");
    }

    /// <summary>Returns a subscription of the caller.</summary>
    /// <exception cref="SubscriptionFault">There is no such subscription.</exception>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Forbidden"/>: it belongs to another user.</exception>
    public static StreamSubscription RequireOwner(StreamSubscription? row, string id, HttpContext context)
    {
        var caller = context.RequireCaller();
        if (row is null)
            throw SubscriptionFault.NotFound(id);
        return row.Owner == caller.UserId
            ? row
            : throw new DunlinException(ErrorCode.Forbidden, "The subscription belongs to another user.", "id");
    }
}
