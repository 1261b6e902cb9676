using System.Net;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Checks what a user, a redirect or a page gives as an address, for pages that this server fetches and for images that browsers
/// fetch. Names that lead nowhere but into a local network are refused here; other names are judged by what they resolve to, when the
/// connection is made.</summary>
internal static class PageAddress
{
    public const int MaxLength = 2_000;

    // RFC 6761, 6762, 8375 and 9476, ICANN's reserved names, and what routers use.
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

    /// <summary>The address; null where it is none.</summary>
    public static Uri? Parse(string? text) =>
        text is { Length: >= 1 and <= MaxLength }
        && !text.Any(char.IsControl)
        && Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri)
        && IsPage(uri)
            ? uri
            : null;

    /// <exception cref="FetchException"><see cref="FetchFault.AddressRefused"/>.</exception>
    public static void Require(Uri uri, FetchOptions options)
    {
        if (!IsPage(uri))
            throw new FetchException(FetchFault.AddressRefused, "The address must be http or https, without a user name.");
        if (!options.AllowsPort(uri.Port))
            throw new FetchException(FetchFault.AddressRefused, "The address must have port 80 or 443.");
        if (!MayBeAsked(uri, options))
            throw new FetchException(FetchFault.AddressRefused, "The address is not public.");
    }

    /// <summary>Whether the host may be public, as far as it can be told without looking it up. Names of local networks may be asked
    /// where <see cref="FetchOptions.AllowedNetworks"/> opens some; names of the machine itself never.</summary>
    public static bool MayBeAsked(Uri uri, FetchOptions options)
    {
        var host = HostOf(uri);
        if (IPAddress.TryParse(host, out var address))
            return options.Allows(address);
        if (IsOrBelow(host, "localhost") || IsOrBelow(host, "localhost.localdomain") || host is "ip6-localhost" or "ip6-loopback")
            return false;
        var isLocal = !host.Contains('.', StringComparison.Ordinal) || LocalZones.Any(zone => IsOrBelow(host, zone));
        return !isLocal || options.AllowedNetworks.Count > 0;
    }

    /// <summary>The host as names are compared: in ASCII and lower case, without brackets and without the dot of the root.</summary>
    public static string HostOf(Uri uri) => uri.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();

    private static bool IsOrBelow(string host, string zone) =>
        host.EndsWith(zone, StringComparison.Ordinal) && (host.Length == zone.Length || host[^(zone.Length + 1)] == '.');

    private static bool IsPage(Uri uri) =>
        uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.IdnHost.Length > 0 && uri.OriginalString.Length <= MaxLength;
}
