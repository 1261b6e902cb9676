using System.ComponentModel.DataAnnotations;
using Dunlin.Outbound;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Limits of fetching the addresses that users enter.</summary>
public sealed class FetchOptions
{
    /// <summary>
    /// Networks that are not public but may be fetched from, in CIDR notation such as <c>10.1.0.0/16</c>: for intranets and tests.
    /// Default: empty.
    /// </summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>Ports besides 80 and 443. Default: empty.</summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>Largest number of redirects. Each address is checked like the first one. Default: 3. Range: 0 to 10.</summary>
    [Range(0, 10)]
    public int MaxRedirects { get; set; } = 3;

    /// <summary>Longest duration of one fetch: name resolution, connections, redirects and the page. Default: 5 s.</summary>
    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest part of a page that is read, in bytes after decompression. Default: 512 KiB. Range: 1 KiB to 16 MiB.</summary>
    [Range(1_024, 16 * 1024 * 1024)]
    public int MaxBytes { get; set; } = 512 * 1024;

    /// <summary>Largest response headers, in KiB. Default: 32. Range: 1 to 1,024.</summary>
    [Range(1, 1_024)]
    public int MaxHeaderKibibytes { get; set; } = 32;

    /// <summary>
    /// The header <c>User-Agent</c> of the requests. Default: <c>Mozilla/5.0 (compatible; DunlinWishlists/1.0; link preview)</c>.
    /// </summary>
    [Required]
    public string UserAgent { get; set; } = "Mozilla/5.0 (compatible; DunlinWishlists/1.0; link preview)";

    internal OutboundRules Rules => new(AllowedNetworks);

    internal bool AllowsPort(int port) => port is 80 or 443 || AllowedPorts.Contains(port);
}
