using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Yjs;

/// <summary>Limits of collaborative documents.</summary>
public sealed class YjsOptions
{
    /// <summary>Largest update in one request, in bytes. A larger one gets 413. Default: 1 MiB. Range: 1 KiB to 64 MiB.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxUpdateBytes { get; set; } = 1024 * 1024;

    /// <summary>Largest snapshot, in bytes. A larger one gets 413. Default: 16 MiB. Range: 1 KiB to 64 MiB.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxSnapshotBytes { get; set; } = 16 * 1024 * 1024;
}

[OptionsValidator]
internal sealed partial class YjsOptionsValidator : IValidateOptions<YjsOptions>;
