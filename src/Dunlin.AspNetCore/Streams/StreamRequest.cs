using Dunlin.Fanout;
using Dunlin.Topics;

namespace Dunlin.Streams;

/// <summary>What an endpoint asks of a stream.</summary>
/// <param name="Topics">The topics; together with the patterns one at least. Each is asked about with the access policies.</param>
public sealed record StreamRequest(IReadOnlyList<TopicName> Topics)
{
    /// <summary>Patterns of further topics, of those too that do not exist yet. Each needs a policy that allows all of it; see
    /// <see cref="IPatternAccessPolicy"/>. The caller is not present on what they cover.</summary>
    public IReadOnlyList<TopicPattern> Patterns { get; init; } = [];

    /// <summary>The clothing of the events. One object for all connections of a kind: frames are shared by format object.</summary>
    public IWireFormat Format { get; init; } = WireFormats.Named;

    /// <summary>Whose own events are left out.</summary>
    public OriginExclusion Exclusion { get; init; } = OriginExclusion.None;

    /// <summary>Whether a reader that is behind, because it resumes or reads slowly, is sent of each topic and type the last event only:
    /// for streams of states, in which a newer event says everything that an older one said. One that keeps up gets every event.</summary>
    public bool Conflates { get; init; }

    /// <summary>Whether the caller is shown to others as present on the topics.</summary>
    public bool IsPresent { get; init; }

    /// <summary>The position to resume from, where it stands neither in the header <c>Last-Event-ID</c> nor in the query. Null or empty for
    /// none. A text that is no position gets a stream that begins with a reset.</summary>
    public string? LastEventId { get; init; }

    /// <summary>How long the line may be idle before a heartbeat; null for <see cref="EventStreamOptions.Heartbeat"/>.</summary>
    public TimeSpan? Heartbeat { get; init; }

    /// <summary>The frame of a heartbeat; null for a comment.</summary>
    public Func<DateTimeOffset, ReadOnlyMemory<byte>>? HeartbeatFrame { get; init; }

    /// <summary>Writes the first frames, such as a greeting and a snapshot. The snapshot is to be read in here: then it holds
    /// at least everything up to <see cref="StreamOpening.Position"/>, and the stream goes on from there without a gap.</summary>
    public Func<StreamOpening, CancellationToken, ValueTask>? OnOpen { get; init; }
}
