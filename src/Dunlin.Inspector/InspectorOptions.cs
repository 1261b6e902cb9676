using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector;

/// <summary>Holds the options of the inspector.</summary>
public sealed class InspectorOptions
{
    /// <summary>Whether the address answers. Default: true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Time between two samples. A node samples only while somebody looks. Default: 1 s. Range: 100 ms to 1 minute.</summary>
    [TimeSpanRange("00:00:00.1", "00:01:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Number of samples that a new viewer receives at once, so that its plots do not start empty. Default: 300. Range: 0 to
    /// 3,600.</summary>
    [Range(0, 3_600)]
    public int History { get; set; } = 300;

    /// <summary>
    /// Number of refusals, of closed connections and of lease changes that each node remembers. Older ones are dropped. About 500 bytes
    /// each. Default: 1,000. Range: 10 to 100,000.
    /// </summary>
    [Range(10, 100_000)]
    public int MaxEntries { get; set; } = 1_000;

    /// <summary>
    /// Largest number of topics whose rates are measured at once. Further topics are counted together. Default: 10,000. Range: 100 to
    /// 1,000,000.
    /// </summary>
    [Range(100, 1_000_000)]
    public int MaxTopics { get; set; } = 10_000;

    /// <summary>Whether administrators see the data of events. False shows topic, type, time and size only. Default: true.</summary>
    public bool ShowPayloads { get; set; } = true;

    /// <summary>Folder with the built page, in place of the page that the library contains. A folder that does not exist has no effect.
    /// Default: null.</summary>
    public string? PageFolder { get; set; }

    /// <summary>
    /// Whether the page signs administrators in with the accounts of this application (<c>MapDunlinAccounts</c>). False asks for an access
    /// token. Default: false.
    /// </summary>
    public bool UseAccounts { get; set; }
}

[OptionsValidator]
internal sealed partial class InspectorOptionsValidator : IValidateOptions<InspectorOptions>;
