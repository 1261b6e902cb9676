using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Limits for fetching addresses that users enter.</summary>
public sealed class FetchOptions
{
    /// <summary>
    /// Private networks that may be fetched, in CIDR notation such as <c>10.1.0.0/16</c>, for intranets and tests. Default: none.
    /// </summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>Allowed ports besides 80 and 443. Default: none.</summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>Maximum of redirects. Each target is checked like the first address. Default: 3.</summary>
    [Range(0, 10)]
    public int MaxRedirects { get; set; } = 3;

    /// <summary>Time limit for name resolution, connections, redirects and the page together. Default: 5 s.</summary>
    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Maximum of bytes of a page after decompression. The rest is not read. Default: 512 KiB.</summary>
    [Range(1_024, 16 * 1024 * 1024)]
    public int MaxBytes { get; set; } = 512 * 1024;

    /// <summary>Maximum of response headers in KiB. Default: 32.</summary>
    [Range(1, 1_024)]
    public int MaxHeaderKibibytes { get; set; } = 32;

    /// <summary>The User-Agent that sites receive.</summary>
    [Required]
    public string UserAgent { get; set; } = "Mozilla/5.0 (compatible; DunlinWishlists/1.0; link preview)";

    internal bool Allows(IPAddress address) =>
        PublicAddress.IsPublic(address) || AllowedNetworks.Any(network => IPNetwork.Parse(network).Contains(PublicAddress.Unmap(address)));

    internal bool AllowsPort(int port) => port is 80 or 443 || AllowedPorts.Contains(port);
}
