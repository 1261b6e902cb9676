using System.Net;
using System.Net.Sockets;

namespace Dunlin.Outbound;

/// <summary>
/// Classifies addresses of the public Internet. Not public are: the special-purpose registries of IANA (RFC 6890 and its successors),
/// multicast, addresses that embed another address (IPv4-mapped, NAT64, 6to4, Teredo), and cloud metadata services with addresses that look
/// public.
/// </summary>
public static class PublicAddress
{
    private static readonly IPNetwork[] NotPublic4 = Parse(
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32"
    );

    // Only 2000::/3 is public unicast. Everything else is loopback, link-local, unique local, multicast, NAT64 or unassigned.
    private static readonly IPNetwork Unicast6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] NotPublic6 = Parse("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20");

    /// <summary>Returns whether a request whose address a user chose may be sent to the address.</summary>
    /// <param name="address">The address.</param>
    public static bool IsPublic(IPAddress address)
    {
        address = Unmap(address);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? !Contains(NotPublic4, address)
            : address.AddressFamily == AddressFamily.InterNetworkV6
                && address.ScopeId == 0
                && Unicast6.Contains(address)
                && !Contains(NotPublic6, address);
    }

    /// <summary>Converts an IPv4-mapped IPv6 address to its IPv4 address. Returns other addresses unchanged.</summary>
    /// <param name="address">The address.</param>
    public static IPAddress Unmap(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static bool Contains(IPNetwork[] networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
                return true;
        }
        return false;
    }

    private static IPNetwork[] Parse(params string[] networks) => [.. networks.Select(text => IPNetwork.Parse(text))];
}
