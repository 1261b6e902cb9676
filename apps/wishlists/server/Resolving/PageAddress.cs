namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Validates addresses from users, redirects and pages, for pages that the server fetches and images that browsers fetch. Rejects names
/// that exist in local networks only. Other names are checked by their resolved addresses when the connection is made.
/// </summary>
internal static class PageAddress
{
    public static int MaxLength => WishlistLimits.Shared.Address;

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
        if (!options.Rules.AllowsHost(uri))
            throw new FetchException(FetchFault.AddressRefused, "The address is not public.");
    }

    private static bool IsPage(Uri uri) =>
        uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.IdnHost.Length > 0 && uri.OriginalString.Length <= MaxLength;
}
