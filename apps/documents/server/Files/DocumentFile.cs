using Dunlin.Apps.Documents.Administration;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.SharedDrafts;

namespace Dunlin.Apps.Documents.Files;

/// <summary>The kinds of files.</summary>
internal static class FileKind
{
    public const string Text = "tei";

    public const string Source = "pdf";
}

/// <summary>A file in the database, without its content.</summary>
internal sealed record DocumentFile(
    string StableId,
    string DocumentId,
    string CollectionId,
    string Title,
    string Kind,
    string Variant,
    long Number,
    long IsGold,
    string Label,
    string OwnerId,
    string OwnerName,
    string ChangedBy,
    long CreatedAt,
    long ChangedAt,
    long Revision,
    long Size
)
{
    public bool IsGoldStandard => IsGold != 0;

    public string ETag => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\"{Revision}\"");
}

/// <summary>The holder of a file's lock. All readers of the file can see it.</summary>
/// <param name="UserId">The holder.</param>
/// <param name="Name">The holder's name.</param>
/// <param name="Mine">Whether the caller's session holds the lock.</param>
/// <param name="Since">The time of the grant.</param>
/// <param name="ExpiresAt">When the lock ends without a heartbeat.</param>
/// <param name="Waiting">Number of waiters.</param>
/// <param name="Queue">Names of the waiters, first in, first out.</param>
internal sealed record LockHolder(
    string UserId,
    string Name,
    bool Mine,
    DateTimeOffset Since,
    DateTimeOffset ExpiresAt,
    int Waiting,
    IReadOnlyList<string> Queue
);

/// <summary>The caller's permissions on a file, apart from its lock.</summary>
internal sealed record FileRights(bool Write, bool NewVersion, bool Promote, bool Delete);

/// <summary>A file in the list.</summary>
internal sealed record FileView(
    string StableId,
    string Variant,
    long Version,
    string Label,
    bool IsGold,
    string Owner,
    string ChangedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset ChangedAt,
    string Etag,
    long Size,
    LockHolder? LockedBy,
    SharedDraftView? SharedDraft,
    FileRights Can
);

/// <summary>A document in the list, with its versions: gold standards first, then the newest.</summary>
internal sealed record DocumentView(string DocId, string Collection, string Title, FileView? Pdf, IReadOnlyList<FileView> Files);

/// <summary>The answer of <c>GET files/list</c>. It contains all changes up to its position.</summary>
internal sealed record FileList(
    IReadOnlyList<Collection> Collections,
    IReadOnlyList<DocumentView> Documents,
    IReadOnlyList<string> Variants,
    MaintenanceState Maintenance,
    string Position,
    DateTimeOffset ServerNow
);

/// <summary>One version in the history of a document and variant.</summary>
internal sealed record VersionView(
    string StableId,
    long Version,
    string Label,
    bool IsGold,
    string Owner,
    string ChangedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset ChangedAt,
    long Size,
    DateTimeOffset? DeletedAt,
    string? DeletedBy,
    bool CanRestore
);

/// <summary>The answer to a save.</summary>
/// <param name="Status"><c>saved | new | new_gold</c>.</param>
/// <param name="FileId">The file that contains the text now.</param>
/// <param name="Version">The file's version number.</param>
/// <param name="Etag">The file's new entity tag.</param>
/// <param name="Changed">Whether any byte changed.</param>
internal sealed record SaveAnswer(string Status, string FileId, long Version, string Etag, bool Changed);
