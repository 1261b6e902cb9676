namespace Dunlin.Records;

/// <summary>
/// A stored record. Immutable. A deleted record stays as a row without a value until retention removes it, so that all readers receive the
/// deletion.
/// </summary>
/// <param name="Space">The space of the record.</param>
/// <param name="Key">The key within the space.</param>
public sealed record RecordRow(SpaceName Space, string Key)
{
    /// <summary>Gets the journal offset of the last change.</summary>
    public long Version { get; init; }

    /// <summary>
    /// Gets the journal offset at which the key was first used. A user whose access was revoked earlier has never received the record.
    /// </summary>
    public long Created { get; init; }

    /// <summary>Gets the time of the deletion (UTC); null if the record is not deleted.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>Gets the only user who may read the record; null for all users with access to the space. Never changes.</summary>
    public string? Audience { get; init; }

    /// <summary>Gets the value as UTF-8 JSON; empty if deleted.</summary>
    public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>Gets whether the record is deleted.</summary>
    public bool IsDeleted => DeletedAt is not null;
}

/// <summary>The access of a user to a space, current or revoked. Immutable.</summary>
/// <param name="Space">The space.</param>
/// <param name="UserId">The user.</param>
/// <param name="Version">The journal offset of the last grant or revocation.</param>
/// <param name="RevokedAt">The time of the revocation (UTC); null while the user may read the space.</param>
public sealed record SpaceAccess(SpaceName Space, string UserId, long Version, DateTimeOffset? RevokedAt)
{
    /// <summary>Gets whether the user may read the space.</summary>
    public bool IsGranted => RevokedAt is null;
}

/// <summary>A query for rows of one space, ordered by version and then by key.</summary>
/// <param name="Space">The space.</param>
/// <param name="After">The version after which to read.</param>
/// <param name="AfterKey">The key after which to read the rows with version <paramref name="After"/>; null skips all rows with that
/// version.</param>
/// <param name="Limit">The maximum number of rows: 1 to <see cref="RecordLimits.MaxPageRecords"/>.</param>
/// <param name="Reader">The user who reads: excludes records with another audience. Null excludes none.</param>
/// <param name="Prefix">The prefix of the keys; null for all.</param>
/// <param name="LivingOnly">Whether to exclude deleted records.</param>
public sealed record RecordQuery(
    SpaceName Space,
    long After = 0,
    string? AfterKey = null,
    int Limit = RecordLimits.MaxPageRecords,
    string? Reader = null,
    string? Prefix = null,
    bool LivingOnly = false
);

/// <summary>The fixed limits of records. They bound the memory of readers and the time that one request occupies the writer.</summary>
public static class RecordLimits
{
    /// <summary>The maximum length of a key in characters: 200.</summary>
    public const int MaxKeyLength = 200;

    /// <summary>The maximum size of a value in bytes: 1 MiB.</summary>
    public const int MaxValueBytes = 1024 * 1024;

    /// <summary>The maximum number of records in one page: 1,000.</summary>
    public const int MaxPageRecords = 1_000;
}
