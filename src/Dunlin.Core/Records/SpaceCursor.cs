namespace Dunlin.Records;

/// <summary>Reads the changes of one space for one user after a version, page by page, ordered by position. Not thread-safe.</summary>
internal sealed class SpaceCursor(IRecordTable records, SpaceAccess access, string userId, long after, string? prefix)
{
    // Start with a small page: most spaces have few or no changes since the last read.
    private int _pageSize = 32;
    private IReadOnlyList<RecordRow> _rows = [];
    private int _next;
    private bool _isLast;

    /// <summary>Whether access changed after the version. Then all records of the space are changes for this user.</summary>
    private readonly bool _isWhole = access.Version > after;

    public long RowsRead { get; private set; }

    /// <summary>Returns the next change; null after the last one.</summary>
    public async ValueTask<RecordChange?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            while (_next < _rows.Count)
            {
                if (Tell(_rows[_next++]) is { } change)
                    return change;
            }
            if (_isLast)
                return null;
            await FetchAsync(cancellationToken);
        }
    }

    private RecordChange? Tell(RecordRow row)
    {
        if (!access.IsGranted)
        {
            // Only records created before the revocation: the user has never received later ones.
            return row.Created <= access.Version ? new RecordChange(row.Key, default, true, access.Version) : null;
        }
        if (!row.IsDeleted)
            return new RecordChange(row.Key, row.Value, false, Math.Max(row.Version, access.Version));
        // In a newly granted space, report all deletions, including those before the version: the user may have read up to that version
        // without access to the space, and thus without receiving the deletion.
        return after > 0 && (_isWhole || row.Version > after)
            ? new RecordChange(row.Key, default, true, Math.Max(row.Version, access.Version))
            : null;
    }

    private async ValueTask FetchAsync(CancellationToken cancellationToken)
    {
        var last = _rows.Count > 0 ? _rows[^1] : null;
        var from = last?.Version ?? (_isWhole ? 0 : after);
        _rows = await records.ReadAsync(
            new RecordQuery(access.Space, from, last?.Key, _pageSize, userId, prefix, LivingOnly: after == 0),
            cancellationToken
        );
        _next = 0;
        _isLast = _rows.Count < _pageSize;
        RowsRead += _rows.Count;
        _pageSize = RecordLimits.MaxPageRecords;
    }
}
