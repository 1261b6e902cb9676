namespace Dunlin.Records;

/// <summary>The changes of one space for one user after a version, fetched a page at a time, in the order of positions.</summary>
internal sealed class SpaceCursor(IRecordTable records, SpaceAccess access, string userId, long after, string? prefix)
{
    // The first page is small: most spaces have changed little or nothing since the last time.
    private int _pageSize = 32;
    private IReadOnlyList<RecordRow> _rows = [];
    private int _next;
    private bool _isLast;

    /// <summary>Access that changed after the version concerns the whole space, not only what changed in it.</summary>
    private readonly bool _isWhole = access.Version > after;

    public long RowsRead { get; private set; }

    /// <summary>The next change; null after the last.</summary>
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
            // There before the access went. What came later the user has never heard of, and does not now.
            return row.Created <= access.Version ? new RecordChange(row.Key, default, true, access.Version) : null;
        }
        if (!row.IsDeleted)
            return new RecordChange(row.Key, row.Value, false, Math.Max(row.Version, access.Version));
        // In a space told as a whole every deletion is told, also one from before the version: the user may have read up to the
        // version while the access was already about to change, and so without hearing of it.
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
