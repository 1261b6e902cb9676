using System.ComponentModel.DataAnnotations;

namespace Dunlin.RxDb;

/// <summary>Bounds of the RxDB endpoints.</summary>
public sealed class RxDbOptions
{
    /// <summary>The largest <c>limit</c> of a pull, in documents. A larger one is an error and is not cut down: RxDB takes a page
    /// that is shorter than it asked for as the last one. With <see cref="MaxDocumentBytes"/> it bounds the memory of an
    /// answer, but for the changes of one position, which are never torn apart. Default: 500.</summary>
    [Range(1, 10_000)]
    public int MaxPullLimit { get; set; } = 500;

    /// <summary>The most rows of one push. Default: 1,000.</summary>
    [Range(1, 10_000)]
    public int MaxPushRows { get; set; } = 1_000;

    /// <summary>The largest push, in bytes. Default: 8 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxPushBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>The largest document, in bytes of JSON. A larger one is refused, alone. Default: 64 KiB.</summary>
    [Range(64, Records.RecordLimits.MaxValueBytes)]
    public int MaxDocumentBytes { get; set; } = 64 * 1024;

    /// <summary>How deep a document may be nested. A deeper one is refused, alone. Default: 32.</summary>
    [Range(1, Json.JsonText.MaxDepth)]
    public int MaxDocumentDepth { get; set; } = 32;

    /// <summary>Rows that share one commit. More make a push cheaper and hold the writer longer. Default: 50.</summary>
    [Range(1, 1_000)]
    public int RowsPerCommit { get; set; } = 50;

    /// <summary>How often a row may exceed the time of a unit of work, alone, before it is refused, so that it does not block
    /// its client for ever. Default: 3.</summary>
    [Range(1, 100)]
    public int MaxOverruns { get; set; } = 3;

    /// <summary>Documents of one collection that one unit of work may change with a hint for each; more of them are told to each
    /// user with a single hint that names none. Default: 10.</summary>
    [Range(1, 1_000)]
    public int MaxSingleHints { get; set; } = 10;

    /// <summary>How long a stream of hints may be idle before <c>sync:ping</c>. Default: 30 s.</summary>
    public TimeSpan Ping { get; set; } = TimeSpan.FromSeconds(30);
}
