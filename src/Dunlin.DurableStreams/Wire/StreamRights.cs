using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Wire;

/// <summary>Maps streams to topics and requires the rights on them. Thread-safe.</summary>
internal sealed class StreamRights(AccessPolicies policies, IOptions<DurableStreamOptions> options)
{
    /// <summary>Returns the topic of a stream that the caller may read.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotSignedIn"/> or <see cref="ErrorCode.Forbidden"/>: the caller may
    /// not.</exception>
    public async ValueTask<(TopicName Topic, Caller Caller)> RequireReadAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = (TopicOf(name), context.RequireCaller());
        await RequireReadAsync(caller, topic, context.RequestAborted);
        return (topic, caller);
    }

    /// <summary>Requires that a caller may read a topic.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Forbidden"/>: the caller may not.</exception>
    public async ValueTask RequireReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken)
    {
        if (!await policies.MayReadAsync(caller, topic, cancellationToken))
            throw new DunlinException(ErrorCode.Forbidden, $"You do not have permission to read the stream's topic '{topic}'.", "topic");
    }

    /// <summary>Returns the topic of a stream that the caller may write.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotSignedIn"/> or <see cref="ErrorCode.Forbidden"/>: the caller may
    /// not.</exception>
    public async ValueTask<(TopicName Topic, Caller Caller)> RequireWriteAsync(HttpContext context, StreamName name)
    {
        var (topic, caller) = (TopicOf(name), context.RequireCaller());
        return await policies.MayPublishAsync(caller, topic, context.RequestAborted)
            ? (topic, caller)
            : throw new DunlinException(
                ErrorCode.Forbidden,
                $"You do not have permission to publish to the stream's topic '{topic}'.",
                "topic"
            );
    }

    private TopicName TopicOf(StreamName name) => TopicName.Of([.. options.Value.TopicPrefix.Split('/'), .. name.Segments]);
}
