using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>The parameters of a new event-stream connection.</summary>
/// <param name="Caller">The caller. Must be authorised for every topic and pattern.</param>
/// <param name="Topics">The topics to subscribe to. There must be at least one topic or pattern.</param>
/// <param name="Sink">The sink for the frames.</param>
internal sealed record ConnectionRequest(Caller Caller, IReadOnlyList<TopicName> Topics, IFrameSink Sink)
{
    /// <summary>Gets the patterns to subscribe to. They also cover topics that are created later. Default: none.</summary>
    public IReadOnlyList<TopicPattern> Patterns { get; init; } = [];

    /// <summary>Gets the selectors of text topics to subscribe to. They also cover topics that are created later. Default: none.</summary>
    public IReadOnlyList<TopicSelector> Selectors { get; init; } = [];

    /// <summary>
    /// Gets the check of each restricted event, live and in catch-up. It must take no lock, allocate nothing and do no I/O. Null (the
    /// default) leaves out all restricted events. With a check, or with selectors, changed access policies do not remove text topics.
    /// </summary>
    public Func<DunlinEvent, bool>? MayRead { get; init; }

    /// <summary>
    /// Gets whether the stream carries control frames (reset, goodbye, revoked). Default: true. Without them, a reader that resumes from
    /// before the stored events continues with the oldest one.
    /// </summary>
    public bool SendsControlFrames { get; init; } = true;

    /// <summary>Gets the wire format of the events. Default: <see cref="WireFormats.Named"/>.</summary>
    public IWireFormat Format { get; init; } = WireFormats.Named;

    /// <summary>Gets the position after which the stream resumes. Null (the default) starts with new events.</summary>
    public Position? Resume { get; init; }

    /// <summary>Gets which of the caller's own events are excluded. Default: none.</summary>
    public OriginExclusion Exclusion { get; init; } = OriginExclusion.None;

    /// <summary>
    /// Gets whether the connection receives only the last event of each topic and type while it is behind. Default: false. See
    /// <see cref="EventStreamConnection.Conflates"/>.
    /// </summary>
    public bool Conflates { get; init; }

    /// <summary>Gets whether presence lists the caller on the topics and announces joins and leaves. Default: false.</summary>
    public bool IsPresent { get; init; }

    /// <summary>Gets the idle time after which a heartbeat is sent. Default: 15 seconds. Zero disables heartbeats.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets the function that returns the bytes of a heartbeat for the current time. Default: an SSE comment.</summary>
    public Func<DateTimeOffset, ReadOnlyMemory<byte>> HeartbeatFrame { get; init; } = static _ => CommentFrame;

    /// <summary>Gets the remote address, for connection limits and diagnostics.</summary>
    public string? RemoteAddress { get; init; }

    private static readonly ReadOnlyMemory<byte> CommentFrame = ":\n\n"u8.ToArray();
}

/// <summary>The reason for the end of a connection. <c>dunlin.goodbye</c> carries its name in camelCase.</summary>
internal enum ConnectionEnd
{
    /// <summary>The peer closed the connection, was lost, or stopped reading.</summary>
    Gone,

    /// <summary>The host is shutting down. The client should reconnect to another node or after the restart.</summary>
    Draining,

    /// <summary>The credential expired. The client can resume with a new one.</summary>
    TokenExpired,

    /// <summary>The session was ended.</summary>
    SignedOut,

    /// <summary>The caller may no longer read any of the topics.</summary>
    Revoked,

    /// <summary>
    /// The server could not continue: reading the journal failed, or too many bytes of control frames waited for the peer. The client can
    /// resume later.
    /// </summary>
    Failed,

    /// <summary>The stream has ended with an event of its protocol.</summary>
    Completed,

    /// <summary>The response is complete: a long poll has its batch, or has waited long enough. The stream sends no goodbye.</summary>
    Answered,
}
