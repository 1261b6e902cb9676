using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb;

/// <summary>Limits of the RxDB endpoints.</summary>
public sealed class RxDbOptions
{
    /// <summary>
    /// Largest <c>limit</c> of a pull, in documents. A larger one gets 400: RxDB would read a shorter page as the last one. With
    /// <see cref="MaxDocumentBytes"/> it limits the memory of a response. The changes of one position are never split, and may exceed it.
    /// Default: 500. Range: 1 to 10,000.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxPullLimit { get; set; } = 500;

    /// <summary>Largest number of rows in one push. More gets 413. Default: 1,000. Range: 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int MaxPushRows { get; set; } = 1_000;

    /// <summary>
    /// Rows that one user may push per second, on average, on this node. More gets 429, and none of the push is written. Zero: no limit.
    /// Default: 200. Range: 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int RowsPerSecond { get; set; } = 200;

    /// <summary>
    /// Rows that one user may push at once after a pause, such as those made offline. More gets 429. Default: 10,000. Range: 1 to
    /// 10,000,000.
    /// </summary>
    [Range(1, 10_000_000)]
    public int RowBurst { get; set; } = 10_000;

    /// <summary>Largest push, in bytes. A larger one gets 413. Default: 8 MiB. Range: 1 KiB to 256 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxPushBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Largest document, in bytes of JSON. A larger document is refused; the others of its push are not. Default: 64 KiB. Range: 64 bytes
    /// to 1 MiB.
    /// </summary>
    [Range(64, Records.RecordLimits.MaxValueBytes)]
    public int MaxDocumentBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Largest nesting depth of a document. A deeper document is refused; the others of its push are not. Default: 32. Range: 1 to 60.
    /// </summary>
    [Range(1, Json.JsonText.MaxDepth)]
    public int MaxDocumentDepth { get; set; } = 32;

    /// <summary>
    /// Rows that share one commit. More make a push cheaper, but other writers wait longer. Default: 50. Range: 1 to 1,000.
    /// </summary>
    [Range(1, 1_000)]
    public int RowsPerCommit { get; set; } = 50;

    /// <summary>
    /// Times that a row may exceed the limit of a unit of work, alone, before it is refused. It would otherwise block its client for
    /// ever. Default: 3. Range: 1 to 100.
    /// </summary>
    [Range(1, 100)]
    public int MaxOverruns { get; set; } = 3;

    /// <summary>
    /// Largest number of documents of one collection in one unit of work with a hint for each. For more, each user gets one hint without
    /// ids. Default: 10. Range: 1 to 1,000.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxSingleHints { get; set; } = 10;

    /// <summary>Time without data before a stream of hints sends <c>sync:ping</c>. Default: 30 s.</summary>
    public TimeSpan Ping { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class RxDbOptionsValidator : IValidateOptions<RxDbOptions>;
