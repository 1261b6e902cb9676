using System.Net;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Validates addresses from users, redirects and pages, for pages that the server fetches and images that browsers fetch. Rejects names
/// that exist in local networks only. Other names are checked by their resolved addresses when the connection is made.
/// </summary>
internal static class PageAddress
{
    public static int MaxLength => WishlistLimits.Shared.Address;

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

    /// <summary>Parses an address; null if invalid.</summary>
    public static Uri? Parse(string? text) =>
        text is { Length: >= 1 }
        && text.Length <= MaxLength
        && !text.Any(char.IsControl)
        && Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri)
        && IsPage(uri)
            ? uri
            : null;

    /// <summary>Throws if the address may not be fetched.</summary>
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

    /// <summary>
    /// Whether the host may be public, without resolving it. Local names are allowed when <see cref="FetchOptions.AllowedNetworks"/> is not
    /// empty. Names of the machine itself are never allowed.
    /// </summary>
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

    /// <summary>Returns the host for comparisons: ASCII, lower case, without brackets and without a trailing dot.</summary>
    public static string HostOf(Uri uri) => uri.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();

    private static bool IsOrBelow(string host, string zone) =>
        host.EndsWith(zone, StringComparison.Ordinal) && (host.Length == zone.Length || host[^(zone.Length + 1)] == '.');

    private static bool IsPage(Uri uri) =>
        uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.IdnHost.Length > 0 && uri.OriginalString.Length <= MaxLength;
}
