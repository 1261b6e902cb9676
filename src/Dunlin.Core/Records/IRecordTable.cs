namespace Dunlin.Records;

/// <summary>
/// Row access to records inside one unit of work (or, read-only, one read scope); use <see cref="RecordWriter"/> and
/// <see cref="RecordReader"/> rather than this. The implementer's duty: rows commit with the unit of work and are isolated
/// like everything in it; a query's cost grows with the rows it returns, never with what the space holds. Not for concurrent use.
/// </summary>
public interface IRecordTable
{
    /// <summary>The row of a key, deleted or not; null where there is none.</summary>
    ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the row of its space and key.</summary>
    ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken);

    /// <summary>The rows that match, by version, then by key in ordinal order.</summary>
    ValueTask<IReadOnlyList<RecordRow>> ReadAsync(RecordQuery query, CancellationToken cancellationToken);

    /// <summary>The number of living records in a space.</summary>
    ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken);

    /// <summary>Removes the rows of records deleted, and of access taken, before this time, and remembers the highest version
    /// removed: who has not read up to there must start anew.</summary>
    ValueTask ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken);

    /// <summary>The highest version that <see cref="ForgetAsync"/> has removed; 0 for none.</summary>
    ValueTask<long> ForgottenThroughAsync(CancellationToken cancellationToken);
}

/// <summary>Row access to who may read which space; the same duties as <see cref="IRecordTable"/>.</summary>
public interface ISpaceAccessTable
{
    /// <summary>One user's access to one space; null where there never was any, or it is forgotten.</summary>
    ValueTask<SpaceAccess?> FindAsync(SpaceName space, string userId, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the access of a user to a space.</summary>
    ValueTask SaveAsync(SpaceAccess access, CancellationToken cancellationToken);

    /// <summary>All of one user, taken ones too, by the name of the space.</summary>
    ValueTask<IReadOnlyList<SpaceAccess>> ListByUserAsync(string userId, CancellationToken cancellationToken);

    /// <summary>All who may read a space now, by user id.</summary>
    ValueTask<IReadOnlyList<SpaceAccess>> ListMembersAsync(SpaceName space, CancellationToken cancellationToken);
}

/// <summary>What a unit of work and a read scope have beside their own members where the store keeps records.</summary>
public interface IRecordScope
{
    /// <summary>The records.</summary>
    IRecordTable Records { get; }

    /// <summary>Who may read them.</summary>
    ISpaceAccessTable Access { get; }
}
