using System.ComponentModel.DataAnnotations;

namespace Dunlin.RxDb;

/// <summary>Holds the limits of the RxDB endpoints.</summary>
public sealed class RxDbOptions
{
    /// <summary>Gets or sets the maximum <c>limit</c> of a pull in documents: 1 to 10,000. Default: 500.</summary>
    /// <remarks>A larger limit is an error and is not reduced, because RxDB treats a page shorter than the requested limit as the last one.
    /// Together with <see cref="MaxDocumentBytes"/> it limits the memory of a response, except for the changes of one position, which are
    /// never split.</remarks>
    [Range(1, 10_000)]
    public int MaxPullLimit { get; set; } = 500;

    /// <summary>Gets or sets the maximum number of rows in a push: 1 to 10,000. Default: 1,000.</summary>
    [Range(1, 10_000)]
    public int MaxPushRows { get; set; } = 1_000;

    /// <summary>Gets or sets the maximum size of a push in bytes: 1 KiB to 256 MiB. Default: 8 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxPushBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>Gets or sets the maximum size of a document in bytes of JSON: 64 to <see cref="Records.RecordLimits.MaxValueBytes"/>.
    /// Default: 64 KiB. Only the larger document is refused.</summary>
    [Range(64, Records.RecordLimits.MaxValueBytes)]
    public int MaxDocumentBytes { get; set; } = 64 * 1024;

    /// <summary>Gets or sets the maximum nesting depth of a document: 1 to <see cref="Json.JsonText.MaxDepth"/>. Default: 32. Only the
    /// deeper document is refused.</summary>
    [Range(1, Json.JsonText.MaxDepth)]
    public int MaxDocumentDepth { get; set; } = 32;

    /// <summary>Gets or sets how many rows share one commit: 1 to 1,000. Default: 50. A larger number makes a push cheaper, but holds the
    /// writer longer.</summary>
    [Range(1, 1_000)]
    public int RowsPerCommit { get; set; } = 50;

    /// <summary>Gets or sets how often a single row may exceed the time limit of a unit of work before it is refused: 1 to 100. Default: 3.
    /// The limit keeps a row from blocking its client for ever.</summary>
    [Range(1, 100)]
    public int MaxOverruns { get; set; } = 3;

    /// <summary>Gets or sets up to how many changed documents of one collection a unit of work sends a hint for each: 1 to 1,000. Default:
    /// 10. For more documents, each user receives one hint with their number.</summary>
    [Range(1, 1_000)]
    public int MaxSingleHints { get; set; } = 10;

    /// <summary>Gets or sets how long a stream of hints may be idle before <c>sync:ping</c>. Default: 30 seconds.</summary>
    public TimeSpan Ping { get; set; } = TimeSpan.FromSeconds(30);
}
