using System.Net;

namespace Dunlin.Outbound;

/// <summary>Decides where the server may send a request whose URL a user chose. Threat: server-side request forgery. Immutable.</summary>
/// <param name="networks">Networks that are not public but allowed, in CIDR notation.</param>
/// <exception cref="FormatException">A network is not valid.</exception>
internal sealed class OutboundRules(IEnumerable<string> networks)
{
    /// <summary>The maximum length of a URL in characters.</summary>
    public const int MaxUrlLength = 2_048;

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

    private readonly IPNetwork[] _networks = [.. networks.Select(static text => IPNetwork.Parse(text))];

    /// <summary>Returns whether a connection to an address is allowed.</summary>
    public bool Allows(IPAddress address) =>
        PublicAddress.IsPublic(address) || _networks.Any(network => network.Contains(PublicAddress.Unmap(address)));

    /// <summary>Returns why a URL is refused, without resolving its host; null if it may be used.</summary>
    public string? Fault(string text)
    {
        if (text.Length > MaxUrlLength || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.IdnHost.Length == 0)
            return $"The URL must be absolute, with at most {MaxUrlLength} characters.";
        if (url.UserInfo.Length > 0)
            return "The URL must not have a user name.";
        var host = url.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        var isAddress = IPAddress.TryParse(host, out var address);
        var isLoopback = isAddress ? IPAddress.IsLoopback(address!) : host == "localhost";
        if (url.Scheme != Uri.UriSchemeHttps && !(isLoopback && url.Scheme == Uri.UriSchemeHttp))
            return "The URL must begin with 'https://'. Only 'http://localhost' and 'http://127.0.0.x' may be used without TLS.";
        if (
            isAddress ? Allows(address!)
            : isLoopback ? Allows(IPAddress.Loopback)
            : MayBePublic(host)
        )
            return null;
        return "The host is not public. Its network must be allowed in the configuration of the server.";
    }

    private bool MayBePublic(string host) =>
        _networks.Length > 0 || (host.Contains('.', StringComparison.Ordinal) && !LocalZones.Any(zone => IsBelow(host, zone)));

    private static bool IsBelow(string host, string zone) => host.EndsWith('.' + zone, StringComparison.Ordinal);
}
