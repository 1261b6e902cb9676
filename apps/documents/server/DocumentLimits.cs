namespace Dunlin.Apps.Documents;

/// <summary>Limits for the stored data and memory of one user, or of the members of a collection.</summary>
internal static class DocumentLimits
{
    /// <summary>Documents of a collection. A request reads the complete list.</summary>
    public const int Documents = 5_000;

    /// <summary>Versions of a document and variant. Deleted ones count, because their content is kept.</summary>
    public const int Versions = 1_000;

    /// <summary>Bytes of all versions that one user added, including deleted ones.</summary>
    public const long OwnBytes = 2L * 1024 * 1024 * 1024;

    /// <summary>A body up to this number of bytes is read without a reservation.</summary>
    public const int SmallBody = 256 * 1024;

    /// <summary>Bytes of all larger bodies in flight on this node. Parsing needs about four times the size.</summary>
    public const int BodiesInFlight = 64 * 1024 * 1024;

    /// <summary>Larger bodies of one user in flight on this node, so that one user cannot occupy the whole limit.</summary>
    public const int BodiesPerUser = 2;
}
