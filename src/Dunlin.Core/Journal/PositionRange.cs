using System.Collections;

namespace Dunlin.Journal;

/// <summary>The positions of consecutive events, stored as first position and count. Immutable.</summary>
/// <param name="first">The position of the first event.</param>
/// <param name="count">The number of events.</param>
internal sealed class PositionRange(Position first, int count) : IReadOnlyList<Position>
{
    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public Position this[int index] =>
        (uint)index < (uint)count ? first with { Offset = first.Offset + index } : throw new ArgumentOutOfRangeException(nameof(index));

    /// <inheritdoc/>
    public IEnumerator<Position> GetEnumerator()
    {
        for (var i = 0; i < count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
