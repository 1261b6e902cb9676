using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>Why a stream belongs to a subscription. Both are possible.</summary>
[Flags]
internal enum StreamLinkKinds
{
    None = 0,

    /// <summary>The pattern matches the stream.</summary>
    Glob = 1,

    /// <summary>The stream was named.</summary>
    Explicit = 2,
}

/// <summary>The cursor of a subscription on one stream. Immutable.</summary>
/// <param name="SubscriptionId">The subscription.</param>
/// <param name="Topic">The topic of the stream.</param>
internal sealed record StreamLink(string SubscriptionId, TopicName Topic)
{
    public StreamLinkKinds Kinds { get; init; }

    /// <summary>Gets the offset through which the worker has processed the stream; -1 for nothing.</summary>
    public long Acked { get; init; } = -1;

    /// <summary>Gets the last append that the scan has found; -1 for none.</summary>
    public long Tail { get; init; } = -1;

    public bool IsPending => Tail > Acked;

    public bool IsExplicit => (Kinds & StreamLinkKinds.Explicit) == StreamLinkKinds.Explicit;
}

/// <summary>What a scan looks up of each subscription. Immutable.</summary>
/// <param name="Id">The subscription.</param>
/// <param name="Owner">Its owner.</param>
/// <param name="Pattern">Its pattern; null for explicit streams only.</param>
/// <param name="WakeTopic">Its wake stream; null for a webhook.</param>
internal sealed record StreamSubscriptionKey(string Id, string Owner, string? Pattern, string? WakeTopic);
