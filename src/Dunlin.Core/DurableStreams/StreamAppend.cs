using Dunlin.Journal;

namespace Dunlin.DurableStreams;

/// <summary>What to append to a stream. Immutable; the caller must not change the data after construction.</summary>
public sealed record StreamAppend
{
    /// <summary>
    /// Gets the messages of a JSON stream, each one JSON value, or pieces of any other stream. Empty only with <see cref="Closes"/>.
    /// Default: none.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages { get; init; } = [];

    /// <summary>Gets the content type of the data, which must be that of the stream. Null: not compared. Default: null.</summary>
    public string? ContentType { get; init; }

    /// <summary>Gets the idempotent producer that appends; null for none. A repeated append then has no effect. Default: null.</summary>
    public StreamProducer? Producer { get; init; }

    /// <summary>
    /// Gets a text that must be greater than that of all earlier appends to the stream, in ordinal order; null for none. Default: null.
    /// </summary>
    public string? Sequence { get; init; }

    /// <summary>Gets whether the append closes the stream. Default: false.</summary>
    public bool Closes { get; init; }

    /// <summary>Gets the cause of the append; null for the server. Default: null.</summary>
    public EventOrigin? Origin { get; init; }
}

/// <summary>What became of a request to a stream.</summary>
public enum StreamOutcome
{
    /// <summary>The data was appended, or the stream was closed.</summary>
    Appended,

    /// <summary>The stream was created.</summary>
    Created,

    /// <summary>The same append, or the same stream, was there already. Nothing changed.</summary>
    Duplicate,

    /// <summary>There is no such stream, or it has ended.</summary>
    NotFound,

    /// <summary>The stream was deleted, and forks still need its data.</summary>
    Deleted,

    /// <summary>The stream is closed.</summary>
    Closed,

    /// <summary>The stream has another content type.</summary>
    ContentTypeMismatch,

    /// <summary>The stream exists with other settings.</summary>
    SettingsMismatch,

    /// <summary>The sequence text is not greater than the last one.</summary>
    SequenceRegression,

    /// <summary>The epoch of the producer is lower than the current one.</summary>
    StaleEpoch,

    /// <summary>A new epoch of a producer does not begin with sequence 0.</summary>
    EpochStart,

    /// <summary>The producer has left out a sequence.</summary>
    SequenceGap,

    /// <summary>The source of the fork does not exist, or it has ended.</summary>
    SourceNotFound,

    /// <summary>The source of the fork was deleted.</summary>
    SourceDeleted,

    /// <summary>The source of the fork has no data at the fork's offset.</summary>
    ForkOutOfRange,
}

/// <summary>The result of a request to a stream. Immutable.</summary>
/// <param name="Outcome">What became of the request.</param>
/// <param name="Stream">The stream after the request; null if there is none.</param>
public sealed record StreamResult(StreamOutcome Outcome, StreamState? Stream)
{
    /// <summary>Gets the state of the producer after the request; null without a producer, or for an unknown one.</summary>
    public StreamProducerState? Producer { get; init; }

    /// <summary>Gets whether the request had its effect, now or before.</summary>
    public bool IsSuccess => Outcome is StreamOutcome.Appended or StreamOutcome.Created or StreamOutcome.Duplicate;
}
