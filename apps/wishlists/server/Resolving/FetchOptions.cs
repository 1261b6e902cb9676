using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>How far the fetching of users' addresses may go.</summary>
public sealed class FetchOptions
{
    /// <summary>Networks that may be fetched from although they are not public, in CIDR notation such as <c>10.1.0.0/16</c>: for
    /// intranets, and for tests. Default: none.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>Ports beside 80 and 443. Default: none.</summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>Redirects followed, each checked like the first address. Default: 3.</summary>
    [Range(0, 10)]
    public int MaxRedirects { get; set; } = 3;

    /// <summary>The time for everything: names, connections, redirects and the page. Default: 5 s.</summary>
    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of a page after decompression; what comes after them is not read. Default: 512 KiB.</summary>
    [Range(1_024, 16 * 1024 * 1024)]
    public int MaxBytes { get; set; } = 512 * 1024;

    /// <summary>KiB of response headers. Default: 32.</summary>
    [Range(1, 1_024)]
    public int MaxHeaderKibibytes { get; set; } = 32;

    /// <summary>What the sites are told of who asks.</summary>
    [Required]
    public string UserAgent { get; set; } = "Mozilla/5.0 (compatible; DunlinWishlists/1.0; link preview)";

    internal bool Allows(IPAddress address) =>
        PublicAddress.IsPublic(address) || AllowedNetworks.Any(network => IPNetwork.Parse(network).Contains(PublicAddress.Unmap(address)));

    internal bool AllowsPort(int port) => port is 80 or 443 || AllowedPorts.Contains(port);
}
