using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>The life of a stream: live, then deleted while forks need its data, then removed until its events are gone.</summary>
internal enum StreamStatus
{
    Live = 0,
    Deleted = 1,
    Removed = 2,
}

/// <summary>The stored state of a stream. Immutable.</summary>
internal sealed record StreamRow(TopicName Topic)
{
    /// <summary>Gets a random number that identifies the stream.</summary>
    public required long Id { get; init; }

    public StreamStatus Status { get; init; }

    public required string ContentType { get; init; }

    /// <summary>Gets the last offset of the journal before the stream began. Earlier events of the topic are not its own.</summary>
    public required long StartsAfter { get; init; }

    public long TrimmedThrough { get; init; }

    /// <summary>Gets the offset through which the events of the topic can be removed; null if there is nothing to remove.</summary>
    public long? TrimDue { get; init; }

    /// <summary>Gets the offset of the last append of a closed stream; null while it is open.</summary>
    public long? ClosedAt { get; init; }

    public bool IsClosed => ClosedAt is not null;

    /// <summary>Gets the append that closed the stream, so that its repetition succeeds; null if no producer did.</summary>
    public StreamProducer? ClosedBy { get; init; }

    /// <summary>Gets the last sequence text of a writer; null for none.</summary>
    public string? LastSequence { get; init; }

    public TimeSpan? TimeToLive { get; init; }

    /// <summary>Gets when the stream ends. With a time to live it moves at reads and writes.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Gets the id of the stream that this one is a fork of; null for none.</summary>
    public long? SourceId { get; init; }

    public StreamFork? Fork { get; init; }

    /// <summary>Gets the last offset of the topic's events; 0 if there is none. Not stored in the row.</summary>
    public long LastEvent { get; init; }

    /// <summary>Gets the offset of the last append, of this stream or inherited.</summary>
    public long End => ClosedAt ?? Math.Max(TrimmedThrough, LastEvent > StartsAfter ? LastEvent : Fork?.Offset ?? StartsAfter);

    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;

    /// <summary>Returns the row with a later end after a read or write; this row if its end is late enough.</summary>
    /// <remarks>The end is set up to 5 % late, so that most reads and writes change no row. It is never early.</remarks>
    public StreamRow Touched(DateTimeOffset now) =>
        TimeToLive is { } life && now + life > ExpiresAt ? this with { ExpiresAt = now + (life * 1.05) } : this;

    /// <summary>Returns the row as it was when the journal ended at an offset.</summary>
    public StreamRow AsOf(long head) =>
        LastEvent <= head ? this : this with { LastEvent = head, ClosedAt = ClosedAt > head ? null : ClosedAt };

    /// <summary>Returns the parts of topics that hold the data through an offset, in order of their offsets.</summary>
    public IEnumerable<StreamSegment> SegmentsThrough(long through, int cut = 0)
    {
        foreach (var part in (Fork?.Inherited ?? []).Append(new StreamSegment(Topic.Value, StartsAfter, long.MaxValue, 0)))
        {
            if (part.After >= through)
                yield break;
            if (part.Through < through)
                yield return part;
            else
                yield return part with
                {
                    Through = through,
                    Cut = part.Through == through ? Shorter(part.Cut, cut) : cut,
                };
        }
    }

    private static int Shorter(int one, int other) =>
        (one, other) switch
        {
            (0, _) => other,
            (_, 0) => one,
            _ => Math.Min(one, other),
        };
}

/// <summary>Where a fork comes from. Immutable.</summary>
/// <param name="From">The topic of the source.</param>
/// <param name="Offset">The last offset of the source that the fork has.</param>
/// <param name="Cut">How many bytes the fork has of the append at that offset; 0 for all.</param>
/// <param name="Anchor">The offset that the request named, or the tail of the source.</param>
/// <param name="SubOffset">How much after the anchor the request named.</param>
/// <param name="Inherited">The parts that hold the inherited data. They include those that the source inherited, so reading does not
/// follow a chain of rows.</param>
internal sealed record StreamFork(string From, long Offset, int Cut, long Anchor, int SubOffset, IReadOnlyList<StreamSegment> Inherited)
{
    public string Encode() => JsonSerializer.Serialize(this, StreamJson.Default.StreamFork);

    public static StreamFork Decode(string text) => JsonSerializer.Deserialize(text, StreamJson.Default.StreamFork)!;
}

/// <summary>The events of a topic between two offsets. Immutable.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="After">The offset before the first event.</param>
/// <param name="Through">The offset of the last event.</param>
/// <param name="Cut">How many bytes of the append at <paramref name="Through"/> belong to the part; 0 for all.</param>
internal sealed record StreamSegment(string Topic, long After, long Through, int Cut);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StreamFork))]
internal sealed partial class StreamJson : JsonSerializerContext;
