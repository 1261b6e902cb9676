namespace Dunlin.Apps.Documents;

/// <summary>What one user, or those who share a collection, can make the server keep or hold in memory.</summary>
internal static class DocumentLimits
{
    /// <summary>Documents of a collection: the list is read whole.</summary>
    public const int Documents = 5_000;

    /// <summary>Versions of a document and variant. Deleted ones count: their bytes are kept.</summary>
    public const int Versions = 1_000;

    /// <summary>Bytes of all versions that one user has added, deleted ones included.</summary>
    public const long OwnBytes = 2L * 1024 * 1024 * 1024;

    /// <summary>A body of at most so many bytes is read at once, without a place.</summary>
    public const int SmallBody = 256 * 1024;

    /// <summary>Bytes of all larger bodies that are read or handled at one time on this node. Each byte costs about four while it is
    /// parsed.</summary>
    public const int BodiesInFlight = 64 * 1024 * 1024;

    /// <summary>Larger bodies of one user at one time on this node, so that one user cannot take all places.</summary>
    public const int BodiesPerUser = 2;
}
