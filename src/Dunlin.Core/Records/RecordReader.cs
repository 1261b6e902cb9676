namespace Dunlin.Records;

/// <summary>A change of one record, as seen by one user. Immutable.</summary>
/// <param name="Key">The key of the record.</param>
/// <param name="Value">The value as UTF-8 JSON; empty if the record is gone for this user.</param>
/// <param name="IsGone">Whether the record is deleted, or no longer visible to this user.</param>
/// <param name="Position">The version of the change: that of the record, or that of the grant or revocation that caused it.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct RecordChange(string Key, ReadOnlyMemory<byte> Value, bool IsGone, long Position);

/// <summary>A page of changes.</summary>
/// <param name="Changes">The changes, ordered by position.</param>
/// <param name="Through">The version after which the next page starts; at least the requested version.</param>
/// <param name="HasMore">Whether there is another page.</param>
internal sealed record RecordPage(IReadOnlyList<RecordChange> Changes, long Through, bool HasMore);

/// <summary>Reads the records that one user may read, as changes since a version, in one snapshot. Not thread-safe.</summary>
/// <remarks>
/// The cost grows with the number of changes and of the user's spaces, not with the size of the spaces.
/// <list type="bullet">
/// <item>A space that was granted after the version is returned whole, including deletions.</item>
/// <item>A space that was revoked after the version is returned as the deletion of every record created before the revocation. Later
/// records do not appear.</item>
/// </list>
/// </remarks>
internal sealed class RecordReader
{
    private readonly IRecordScope _tables;
    private readonly string _userId;

    internal RecordReader(IRecordScope tables, string userId) => (_tables, _userId) = (tables, userId);

    /// <summary>Gets the number of rows read so far, as a measure of the cost.</summary>
    public long RowsRead { get; private set; }

    /// <summary>
    /// Returns whether changes since a version are still available. Otherwise the client must start again from 0 with no data.
    /// </summary>
    /// <param name="after">The version.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<bool> CanContinueAsync(long after, CancellationToken cancellationToken = default) =>
        after == 0 || after >= await _tables.Records.ForgottenThroughAsync(cancellationToken);

    /// <summary>Reads all changes after a version, space by space.</summary>
    /// <param name="after">The version.</param>
    /// <param name="tell">Called for each change.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The version up to which all changes have been read: that of the last change, or <paramref name="after"/>.</returns>
    public async ValueTask<long> ReadAllAsync(long after, Action<RecordChange> tell, CancellationToken cancellationToken = default)
    {
        var through = after;
        foreach (var access in await ListAccessAsync(after, cancellationToken))
        {
            // Granting or revoking a space is a change even if the space is empty.
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

    /// <summary>Reads a page of the changes after a version, ordered by position over all spaces.</summary>
    /// <remarks>
    /// Unreadable records are excluded before the limit is applied, so a page with fewer than <paramref name="limit"/> changes is the last
    /// one. A page may have more than <paramref name="limit"/> changes, because changes of one position stay together.
    /// </remarks>
    /// <param name="after">The version.</param>
    /// <param name="prefix">The prefix of the keys; null for all.</param>
    /// <param name="limit">The number of changes after which the page ends; at least 1.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is below 1.</exception>
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
        // Skip revocations already sent. Also skip all revocations for a client that starts from 0: it has none of the data.
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
