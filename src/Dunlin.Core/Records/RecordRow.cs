namespace Dunlin.Records;

/// <summary>One record as it is stored. A deleted record stays as a row without a value until retention removes it, so that
/// its deletion reaches everybody.</summary>
/// <param name="Space">The space it lies in.</param>
/// <param name="Key">Its key within the space.</param>
public sealed record RecordRow(SpaceName Space, string Key)
{
    /// <summary>The journal offset of its last change.</summary>
    public long Version { get; init; }

    /// <summary>The journal offset at which the key was first used: who lost access before has never heard of it.</summary>
    public long Created { get; init; }

    /// <summary>When it was deleted; null while it lives.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>The only user who may read it; null for all who may read the space. It never changes.</summary>
    public string? Audience { get; init; }

    /// <summary>The value, UTF-8 JSON; empty when deleted.</summary>
    public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>Whether it is deleted.</summary>
    public bool IsDeleted => DeletedAt is not null;
}

/// <summary>Who may read a space, or could until a certain version.</summary>
/// <param name="Space">The space.</param>
/// <param name="UserId">The user.</param>
/// <param name="Version">The journal offset at which access was given or taken, whichever came last.</param>
/// <param name="RevokedAt">When it was taken; null while the user may read.</param>
public sealed record SpaceAccess(SpaceName Space, string UserId, long Version, DateTimeOffset? RevokedAt)
{
    /// <summary>Whether the user may read the space.</summary>
    public bool IsGranted => RevokedAt is null;
}

/// <summary>What to read of one space: in the order of versions, keys deciding where versions are equal.</summary>
/// <param name="Space">The space.</param>
/// <param name="After">Only records changed after this version ...</param>
/// <param name="AfterKey">... or at it, with a key after this one. Null: none at it.</param>
/// <param name="Limit">At most so many, 1 to <see cref="RecordLimits.MaxPageRecords"/>.</param>
/// <param name="Reader">Leaves out records of another audience; null leaves out none.</param>
/// <param name="Prefix">Only keys that begin so.</param>
/// <param name="LivingOnly">Leaves out deleted records.</param>
public sealed record RecordQuery(
    SpaceName Space,
    long After = 0,
    string? AfterKey = null,
    int Limit = RecordLimits.MaxPageRecords,
    string? Reader = null,
    string? Prefix = null,
    bool LivingOnly = false
);

/// <summary>Hard bounds of records; each guards the memory of readers or the time a writer holds the store.</summary>
public static class RecordLimits
{
    /// <summary>Characters of a key.</summary>
    public const int MaxKeyLength = 200;

    /// <summary>Bytes of a value.</summary>
    public const int MaxValueBytes = 1024 * 1024;

    /// <summary>Records in one page.</summary>
    public const int MaxPageRecords = 1_000;
}
