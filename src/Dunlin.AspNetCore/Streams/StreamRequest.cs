using Dunlin.Fanout;
using Dunlin.Topics;

namespace Dunlin.Streams;

/// <summary>Describes the stream that an endpoint opens. Immutable.</summary>
/// <param name="Topics">The topics. Topics and patterns together must have at least one item. The access policies are checked for
/// each.</param>
public sealed record StreamRequest(IReadOnlyList<TopicName> Topics)
{
    /// <summary>Gets the patterns of further topics, which may not exist yet. Default: none.</summary>
    /// <remarks>Each pattern requires a policy that allows the whole pattern; see <see cref="IPatternAccessPolicy"/>. The caller is not
    /// shown as present on topics that only a pattern matches.</remarks>
    public IReadOnlyList<TopicPattern> Patterns { get; init; } = [];

    /// <summary>Gets the wire format of the events. Default: <see cref="WireFormats.Named"/>. Use one object for all connections of a kind:
    /// connections share encoded frames per format object.</summary>
    public IWireFormat Format { get; init; } = WireFormats.Named;

    /// <summary>Gets whose own events the stream omits. Default: <see cref="OriginExclusion.None"/>.</summary>
    public OriginExclusion Exclusion { get; init; } = OriginExclusion.None;

    /// <summary>Gets whether a connection that is behind receives only the last event of each topic and type. Default: false.</summary>
    /// <remarks>For events that carry a whole state, where a newer event supersedes older ones. A connection is behind while it resumes or
    /// reads slowly. A connection that keeps up receives all events.</remarks>
    public bool Conflates { get; init; }

    /// <summary>Gets whether the caller is shown to others as present on the topics. Default: false.</summary>
    public bool IsPresent { get; init; }

    /// <summary>Gets the position to resume from if the request has neither the header <c>Last-Event-ID</c> nor the query parameter
    /// <c>lastEventId</c>. Default: null, which resumes nothing, like an empty text. For a text that is no position, the stream begins with
    /// a reset.</summary>
    public string? LastEventId { get; init; }

    /// <summary>Gets how long the connection may be idle before a heartbeat. Default: null, which means
    /// <see cref="EventStreamOptions.Heartbeat"/>.</summary>
    public TimeSpan? Heartbeat { get; init; }

    /// <summary>Gets the function that returns the heartbeat frame. Default: null, which sends a comment.</summary>
    public Func<DateTimeOffset, ReadOnlyMemory<byte>>? HeartbeatFrame { get; init; }

    /// <summary>Gets the function that writes the first frames, such as a greeting and a snapshot. Default: null.</summary>
    /// <remarks>Read the snapshot inside this function. It then includes all events up to <see cref="StreamOpening.Position"/>, and the
    /// stream continues from there without a gap.</remarks>
    public Func<StreamOpening, CancellationToken, ValueTask>? OnOpen { get; init; }

    /// <summary>Gets the parameter <c>wait</c> of a long poll if the request has it in its body. Default: null.</summary>
    internal string? Wait { get; init; }
}
