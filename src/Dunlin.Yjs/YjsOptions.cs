using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Yjs;

/// <summary>Limits and creation of collaborative documents.</summary>
public sealed class YjsOptions
{
    /// <summary>Whether the server has collaborative documents. Only <c>dunlin serve</c> reads it. Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>Largest update in one request, in bytes. A larger one gets 413. Default: 1 MiB. Range: 1 KiB to 64 MiB.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxUpdateBytes { get; set; } = 1024 * 1024;

    /// <summary>Largest snapshot, in bytes. A larger one gets 413. Default: 16 MiB. Range: 1 KiB to 64 MiB.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxSnapshotBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Whether the first update of a name creates the document. False: only <see cref="YjsUnitOfWork.CreateYjsTextAsync"/> creates
    /// documents, and an update for another name gets 404. An update that arrives during the deletion of its document cannot create it
    /// again then. Default: true.</summary>
    public bool CreateOnFirstUpdate { get; set; } = true;
}

[OptionsValidator]
internal sealed partial class YjsOptionsValidator : IValidateOptions<YjsOptions>;
