using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>What a new stream is. Immutable.</summary>
public sealed record StreamSettings
{
    /// <summary>The maximum length of a content type in characters: 200.</summary>
    public const int MaxContentTypeLength = 200;

    /// <summary>
    /// Gets the content type. Streams of <c>application/json</c> hold JSON messages; all others hold bytes. Null: that of the source of a
    /// fork, or <c>application/octet-stream</c>. Default: null.
    /// </summary>
    public string? ContentType { get; init; }

    /// <summary>Gets the time without reads and writes after which the stream ends, in whole seconds. Null: none. Default: null.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>Gets the time (UTC) at which the stream ends. Null: never. Default: null.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Gets the stream whose data the new one begins with; null for none. Default: null.</summary>
    public StreamForkPoint? ForkOf { get; init; }

    /// <summary>Gets whether the stream is closed from the beginning. Default: false.</summary>
    public bool IsClosed { get; init; }

    /// <summary>Gets the first messages of a JSON stream, or pieces of any other one. Default: none.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages { get; init; } = [];

    /// <summary>Gets the cause of the first messages; null for the server. Default: null.</summary>
    public EventOrigin? Origin { get; init; }

    internal void Check()
    {
        if (ContentType is { } type && (type.Length is 0 or > MaxContentTypeLength || type.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A content type must have 1 to {MaxContentTypeLength} printable ASCII characters.",
                "contentType"
            );
        if (TimeToLive is not null && ExpiresAt is not null)
            throw new DunlinException(ErrorCode.InvalidField, "A stream has a time to live or an expiry, not both.", "timeToLive");
        if (TimeToLive < TimeSpan.Zero)
            throw new DunlinException(ErrorCode.InvalidField, "The time to live must not be negative.", "timeToLive");
    }
}

/// <summary>A point of a stream at which a fork begins. Immutable.</summary>
/// <param name="Topic">The topic of the source.</param>
/// <param name="Offset">The last offset of the source that the fork has; null for all that the source has now.</param>
public sealed record StreamForkPoint(TopicName Topic, long? Offset = null)
{
    /// <summary>
    /// Gets how much the fork has after <see cref="Offset"/>: messages of a JSON stream, or bytes of the next append of any other one.
    /// <see cref="DurableStreamReader.ResolveAsync"/> must have resolved it. Default: 0.
    /// </summary>
    public int SubOffset { get; init; }

    /// <summary>Gets the last offset and the number of bytes of its append (0 for all) that <see cref="SubOffset"/> means.</summary>
    internal (long Offset, int Cut)? Resolved { get; init; }
}
