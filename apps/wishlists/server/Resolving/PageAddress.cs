using System.Net;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Checks what a user, or a redirect, gives as the address of a page. The host is only looked at where it is written as a
/// number; names are judged by what they resolve to, when the connection is made.</summary>
internal static class PageAddress
{
    public const int MaxLength = 2_000;

    /// <summary>The address; null where it is none.</summary>
    public static Uri? Parse(string? text) =>
        text is { Length: >= 1 and <= MaxLength } && !text.Any(char.IsControl) && Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri) && IsPage(uri) ? uri : null;

    /// <exception cref="FetchException"><see cref="FetchFault.AddressRefused"/>.</exception>
    public static void Require(Uri uri, FetchOptions options)
    {
        if (!IsPage(uri))
            throw new FetchException(FetchFault.AddressRefused, "Only http and https addresses without a user are fetched.");
        if (!options.AllowsPort(uri.Port))
            throw new FetchException(FetchFault.AddressRefused, "Only ports 80 and 443 are fetched from.");
        if (Literal(uri) is { } address && !options.Allows(address))
            throw new FetchException(FetchFault.AddressRefused, "The address is not public.");
    }

    /// <summary>The address that the host is written as, in whatever notation (127.1, 0x7f.1, 2130706433, [::1]); null for a name.</summary>
    public static IPAddress? Literal(Uri uri) => IPAddress.TryParse(uri.IdnHost.Trim('[', ']').TrimEnd('.'), out var address) ? address : null;

    private static bool IsPage(Uri uri) =>
        uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.IdnHost.Length > 0 && uri.OriginalString.Length <= MaxLength;
}
