namespace Dunlin.Records;

/// <summary>
/// Reads and writes record rows in one unit of work, or reads them in one read scope. Not thread-safe. Applications use
/// <see cref="RecordWriter"/> and <see cref="RecordReader"/>.
/// </summary>
/// <remarks>
/// An implementation must guarantee that rows commit with the unit of work and have its isolation. The cost of a query must grow with the
/// rows it returns, not with the size of the space.
/// </remarks>
public interface IRecordTable
{
    /// <summary>Returns the row of a key, including deleted ones; null if there is none.</summary>
    /// <param name="space">The space.</param>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<RecordRow?> FindAsync(SpaceName space, string key, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the row of its space and key.</summary>
    /// <param name="row">The row.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask SaveAsync(RecordRow row, CancellationToken cancellationToken);

    /// <summary>Returns the matching rows, ordered by version and then by key (ordinal).</summary>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<IReadOnlyList<RecordRow>> ReadAsync(RecordQuery query, CancellationToken cancellationToken);

    /// <summary>Returns the number of records in a space, without deleted ones.</summary>
    /// <param name="space">The space.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<int> CountAsync(SpaceName space, CancellationToken cancellationToken);

    /// <summary>Removes rows of records deleted, and of access revoked, before a time. Stores the highest removed version.</summary>
    /// <remarks>A reader that has not read up to that version must start again from 0.</remarks>
    /// <param name="before">The time (UTC).</param>
    /// <param name="cancellationToken">Cancels the removal.</param>
    ValueTask ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken);

    /// <summary>Returns the highest version that <see cref="ForgetAsync"/> has removed; 0 if there is none.</summary>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<long> ForgottenThroughAsync(CancellationToken cancellationToken);
}

/// <summary>Reads and writes the access of users to spaces. The requirements of <see cref="IRecordTable"/> apply.</summary>
public interface ISpaceAccessTable
{
    /// <summary>Returns the access of a user to a space, including revoked access; null if there is none or it was removed.</summary>
    /// <param name="space">The space.</param>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<SpaceAccess?> FindAsync(SpaceName space, string userId, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the access of a user to a space.</summary>
    /// <param name="access">The access.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    ValueTask SaveAsync(SpaceAccess access, CancellationToken cancellationToken);

    /// <summary>Returns all access of a user, including revoked access, ordered by the name of the space.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<IReadOnlyList<SpaceAccess>> ListByUserAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Returns the users who may read a space now, ordered by user id.</summary>
    /// <param name="space">The space.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<IReadOnlyList<SpaceAccess>> ListMembersAsync(SpaceName space, CancellationToken cancellationToken);
}

/// <summary>Gives access to the record tables of a unit of work or read scope. Implemented by stores that have records.</summary>
public interface IRecordScope
{
    /// <summary>Gets the records.</summary>
    IRecordTable Records { get; }

    /// <summary>Gets the access of users to spaces.</summary>
    ISpaceAccessTable Access { get; }
}
