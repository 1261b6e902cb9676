using Dunlin.Diagnostics;

namespace Dunlin.DurableStreams;

/// <summary>Identifies one append of an idempotent producer. Immutable.</summary>
/// <param name="Id">The producer: 1 to 200 characters without control characters. Equal ids of different streams are different
/// producers.</param>
/// <param name="Epoch">The number of the producer's session, from 0. A higher epoch fences all lower ones.</param>
/// <param name="Sequence">The number of the append in its epoch, from 0, without gaps.</param>
public sealed record StreamProducer(string Id, long Epoch, long Sequence)
{
    /// <summary>The maximum length of a producer id in characters: 200.</summary>
    public const int MaxIdLength = 200;

    internal void Check()
    {
        if (Id.Length is 0 or > MaxIdLength || Id.Any(char.IsControl))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A producer id must have 1 to {MaxIdLength} characters, without control characters.",
                "producerId"
            );
        if (Epoch < 0 || Sequence < 0)
            throw new DunlinException(ErrorCode.InvalidField, "The epoch and the sequence of a producer begin at 0.", "producerSeq");
    }
}

/// <summary>What the store knows of a producer: its epoch and the sequence of its last append. Immutable.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Sequence">The sequence of the last append.</param>
public sealed record StreamProducerState(long Epoch, long Sequence);
