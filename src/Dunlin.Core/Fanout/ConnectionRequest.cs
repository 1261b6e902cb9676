using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fanout;

/// <summary>What a connection is opened with.</summary>
/// <param name="Caller">Who reads; must have been asked about and allowed every topic and pattern.</param>
/// <param name="Topics">The topics; together with the patterns one at least.</param>
/// <param name="Sink">The way out.</param>
public sealed record ConnectionRequest(Caller Caller, IReadOnlyList<TopicName> Topics, IFrameSink Sink)
{
    /// <summary>Patterns of further topics, of those too that do not exist yet.</summary>
    public IReadOnlyList<TopicPattern> Patterns { get; init; } = [];

    /// <summary>The clothing of the events.</summary>
    public IWireFormat Format { get; init; } = WireFormats.Named;

    /// <summary>Where to go on; null begins with what happens from now on.</summary>
    public Position? Resume { get; init; }

    /// <summary>Whose own events are left out.</summary>
    public OriginExclusion Exclusion { get; init; } = OriginExclusion.None;

    /// <summary>
    /// Whether a connection that is behind receives only the last event of each topic and type;
    /// see <see cref="EventStreamConnection.Conflates"/>.
    /// </summary>
    public bool Conflates { get; init; }

    /// <summary>Whether the caller is shown to others as present on the topics, and announced when joining and leaving.</summary>
    public bool IsPresent { get; init; }

    /// <summary>How long the line may be idle before a heartbeat is sent. Zero sends none.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The bytes of a heartbeat at a given time; by default a comment.</summary>
    public Func<DateTimeOffset, ReadOnlyMemory<byte>> HeartbeatFrame { get; init; } = static _ => CommentFrame;

    /// <summary>The remote address, for limits and diagnostics.</summary>
    public string? RemoteAddress { get; init; }

    private static readonly ReadOnlyMemory<byte> CommentFrame = ":\n\n"u8.ToArray();
}

/// <summary>Why a connection ended; its lower-camel text travels in <c>dunlin.goodbye</c>.</summary>
public enum ConnectionEnd
{
    /// <summary>The peer closed, vanished or stopped reading.</summary>
    Gone,

    /// <summary>The host is shutting down; another node, or the next start, goes on.</summary>
    Draining,

    /// <summary>The credential ended; a fresh one resumes.</summary>
    TokenExpired,

    /// <summary>The session was ended.</summary>
    SignedOut,

    /// <summary>The caller may read none of the topics any more.</summary>
    Revoked,

    /// <summary>The server could not go on: it failed to read the journal, or too much that is not in the journal waited for the peer.
    /// Resuming later tries again.</summary>
    Failed,
}
