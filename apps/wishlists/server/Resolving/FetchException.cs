namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Why a page was not fetched. What users are shown is this word and nothing of the answer: neither whether a port is
/// open nor what stands behind a refused address.</summary>
internal enum FetchFault
{
    /// <summary>Not an address that may be fetched: scheme, port, user info, or a host that is not public.</summary>
    AddressRefused,

    /// <summary>The host has no address, cannot be connected to, or answered what is not HTTP.</summary>
    Unreachable,

    /// <summary>It took too long.</summary>
    TooSlow,

    /// <summary>More redirects than are followed.</summary>
    TooManyRedirects,

    /// <summary>The answer is not a page: another content type.</summary>
    NotAPage,

    /// <summary>The page is broken: its compression is damaged, or none that was asked for.</summary>
    Unreadable,

    /// <summary>The site refused: 4xx.</summary>
    Refused,

    /// <summary>The site failed: 5xx, or asked to wait.</summary>
    SiteFailed,
}

/// <summary>A page that could not be fetched.</summary>
internal sealed class FetchException(FetchFault fault, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public FetchFault Fault { get; } = fault;

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsTransient => Fault is FetchFault.Unreachable or FetchFault.TooSlow or FetchFault.SiteFailed;
}
