namespace Dunlin.Records;

/// <summary>What became of one record, as one user is told.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">UTF-8 JSON; empty where the record is gone for this user.</param>
/// <param name="IsGone">Deleted, or no longer to be seen by this user.</param>
/// <param name="Position">After which version the user knows it: its own, or that of the access that brought or took it.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct RecordChange(string Key, ReadOnlyMemory<byte> Value, bool IsGone, long Position);

/// <summary>A page of changes.</summary>
/// <param name="Changes">In the order of their positions.</param>
/// <param name="Through">The next page starts after it. At least what was asked from.</param>
/// <param name="HasMore">Whether there is a next page.</param>
internal sealed record RecordPage(IReadOnlyList<RecordChange> Changes, long Through, bool HasMore);

/// <summary>
/// What one user may read, as changes since a version, in one snapshot. The cost grows with what changed and with the
/// number of spaces the user has, never with what these hold. Not for concurrent use.
/// <para>How access that changes is told: a space that was given after the version is told whole, with what was deleted in
/// it since; one that was taken is told as the deletion of every record that was there when it was taken, and of nothing
/// that came later.</para>
/// </summary>
internal sealed class RecordReader
{
    private readonly IRecordScope _tables;
    private readonly string _userId;

    internal RecordReader(IRecordScope tables, string userId) => (_tables, _userId) = (tables, userId);

    /// <summary>Rows read so far: what a pull cost.</summary>
    public long RowsRead { get; private set; }

    /// <summary>Whether changes since this version can still be told; otherwise the user must start anew, from 0 with nothing.</summary>
    public async ValueTask<bool> CanContinueAsync(long after, CancellationToken cancellationToken = default) =>
        after == 0 || after >= await _tables.Records.ForgottenThroughAsync(cancellationToken);

    /// <summary>Tells every change after a version, space by space.</summary>
    /// <returns>
    /// The version through which the user now knows everything: that of the last change told, or <paramref name="after"/>.
    /// </returns>
    public async ValueTask<long> ReadAllAsync(long after, Action<RecordChange> tell, CancellationToken cancellationToken = default)
    {
        var through = after;
        foreach (var access in await ListAccessAsync(after, cancellationToken))
        {
            // What brought or took the space is a change even where the space is empty.
            through = Math.Max(through, access.Version);
            var cursor = new SpaceCursor(_tables.Records, access, _userId, after, null);
            while (await cursor.NextAsync(cancellationToken) is { } change)
            {
                through = Math.Max(through, change.Position);
                tell(change);
            }
            RowsRead += cursor.RowsRead;
        }
        return through;
    }

    /// <summary>
    /// Tells the changes after a version as a page in the order of positions, over all spaces. What may not be read is left
    /// out before the page is counted, so a page shorter than <paramref name="limit"/> is the last one. A page may be longer:
    /// changes of one position are never torn apart.
    /// </summary>
    /// <param name="after">The version.</param>
    /// <param name="prefix">Only keys that begin so; null for all.</param>
    /// <param name="limit">The length of a page.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask<RecordPage> ReadPageAsync(long after, string? prefix, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var merge = new PriorityQueue<(SpaceCursor Cursor, RecordChange Change), (long, string)>(
            Comparer<(long Position, string Key)>.Create(
                static (a, b) => a.Position != b.Position ? a.Position.CompareTo(b.Position) : string.CompareOrdinal(a.Key, b.Key)
            )
        );
        foreach (var access in await ListAccessAsync(after, cancellationToken))
            await QueueAsync(merge, new SpaceCursor(_tables.Records, access, _userId, after, prefix), cancellationToken);
        var changes = new List<RecordChange>();
        while (merge.TryPeek(out var next, out _))
        {
            if (changes.Count >= limit && next.Change.Position != changes[^1].Position)
                return new RecordPage(changes, changes[^1].Position, HasMore: true);
            merge.Dequeue();
            changes.Add(next.Change);
            await QueueAsync(merge, next.Cursor, cancellationToken);
        }
        return new RecordPage(changes, changes.Count == 0 ? after : changes[^1].Position, HasMore: false);
    }

    private async ValueTask<IEnumerable<SpaceAccess>> ListAccessAsync(long after, CancellationToken cancellationToken)
    {
        var all = await _tables.Access.ListByUserAsync(_userId, cancellationToken);
        RowsRead += all.Count;
        // Taken before: long told. Taken from somebody who starts anew: never known.
        return all.Where(access => access.IsGranted || (access.Version > after && after > 0));
    }

    private async ValueTask QueueAsync(
        PriorityQueue<(SpaceCursor Cursor, RecordChange Change), (long, string)> merge,
        SpaceCursor cursor,
        CancellationToken cancellationToken
    )
    {
        var before = cursor.RowsRead;
        if (await cursor.NextAsync(cancellationToken) is { } change)
            merge.Enqueue((cursor, change), (change.Position, change.Key));
        RowsRead += cursor.RowsRead - before;
    }
}
