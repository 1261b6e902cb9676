using System.Net;

namespace Dunlin.Outbound;

/// <summary>Decides where the server may send a request whose URL a user chose. Immutable and thread-safe.</summary>
/// <remarks>
/// Threat: server-side request forgery. Check the URL with <see cref="AllowsHost"/> when you store it, so that the user gets an error at
/// once, and send the request through <see cref="OutboundHandler"/>, which checks the address that it connects to.
/// </remarks>
public sealed class OutboundRules
{
    /// <summary>The maximum length of the URL of a webhook in characters.</summary>
    internal const int MaxUrlLength = 2_048;

    // RFC 6761, 6762, 8375 and 9476, ICANN's reserved names, and names that routers use.
    private static readonly string[] LocalZones =
    [
        "local",
        "internal",
        "home.arpa",
        "localdomain",
        "lan",
        "home",
        "corp",
        "intranet",
        "private",
        "alt",
    ];

    private readonly IPNetwork[] _networks;

    /// <summary>Creates rules that allow public addresses and some networks.</summary>
    /// <param name="networks">Networks that are not public but allowed, in CIDR notation such as <c>10.1.0.0/16</c>.</param>
    /// <exception cref="FormatException">A network is not valid.</exception>
    public OutboundRules(IEnumerable<string> networks)
    {
        ArgumentNullException.ThrowIfNull(networks);
        _networks = [.. networks.Select(Parse)];
    }

    /// <summary>Returns whether a connection to an address is allowed.</summary>
    /// <param name="address">The address.</param>
    public bool Allows(IPAddress address) =>
        PublicAddress.IsPublic(address) || Array.Exists(_networks, network => network.Contains(PublicAddress.Unmap(address)));

    /// <summary>
    /// Returns whether the host of a URL may be allowed, without resolving its name. Names of local networks may be if the rules have a
    /// network. Names of the server itself, such as <c>localhost</c>, never are.
    /// </summary>
    /// <param name="url">The URL, which is absolute.</param>
    public bool AllowsHost(Uri url)
    {
        var host = HostOf(url);
        if (IPAddress.TryParse(host, out var address))
            return Allows(address);
        if (IsOrBelow(host, "localhost") || IsOrBelow(host, "localhost.localdomain") || host is "ip6-localhost" or "ip6-loopback")
            return false;
        var isLocal = !host.Contains('.', StringComparison.Ordinal) || Array.Exists(LocalZones, zone => IsOrBelow(host, zone));
        return !isLocal || _networks.Length > 0;
    }

    /// <summary>Returns the host of a URL for comparisons: ASCII, lower case, without brackets and without a trailing dot.</summary>
    /// <param name="url">The URL, which is absolute.</param>
    public static string HostOf(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        return url.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
    }

    /// <summary>Returns why the URL of a webhook is refused, without resolving its host; null if it may be used.</summary>
    internal string? Fault(string text)
    {
        if (text.Length > MaxUrlLength || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.IdnHost.Length == 0)
            return $"The URL must be absolute, with at most {MaxUrlLength} characters.";
        if (url.UserInfo.Length > 0)
            return "The URL must not have a user name.";
        var host = HostOf(url);
        var isLoopback = IPAddress.TryParse(host, out var address) ? IPAddress.IsLoopback(address) : host == "localhost";
        if (url.Scheme != Uri.UriSchemeHttps && !(isLoopback && url.Scheme == Uri.UriSchemeHttp))
            return "The URL must begin with 'https://'. Only 'http://localhost' and 'http://127.0.0.x' may be used without TLS.";
        return (host == "localhost" ? Allows(IPAddress.Loopback) : AllowsHost(url))
            ? null
            : "The host is not public. Its network must be allowed in the configuration of the server.";
    }

    private static IPNetwork Parse(string text) =>
        IPNetwork.TryParse(text, out var network)
            ? network
            : throw new FormatException($"'{text}' is not a network in CIDR notation. Write it as in '10.1.0.0/16'.");

    private static bool IsOrBelow(string host, string zone) =>
        host.EndsWith(zone, StringComparison.Ordinal) && (host.Length == zone.Length || host[^(zone.Length + 1)] == '.');
}
