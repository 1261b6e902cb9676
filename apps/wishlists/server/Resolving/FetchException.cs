namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Why a page was not fetched. Users receive this code and nothing of the answer. Threat: details would reveal open ports and services
/// behind refused addresses.
/// </summary>
internal enum FetchFault
{
    /// <summary>The address may not be fetched: scheme, port, user info, or a host that is not public.</summary>
    AddressRefused,

    /// <summary>The host has no address, refuses the connection, or does not speak HTTP.</summary>
    Unreachable,

    /// <summary>The time limit was exceeded.</summary>
    TooSlow,

    /// <summary>The redirect limit was exceeded.</summary>
    TooManyRedirects,

    /// <summary>The answer has a content type that is no page.</summary>
    NotAPage,

    /// <summary>The compression of the answer is damaged or was not requested.</summary>
    Unreadable,

    /// <summary>The site answered with 4xx.</summary>
    Refused,

    /// <summary>The site answered with 5xx, 408 or 429.</summary>
    SiteFailed,
}

/// <summary>A page could not be fetched.</summary>
internal sealed class FetchException(FetchFault fault, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public FetchFault Fault { get; } = fault;

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsTransient => Fault is FetchFault.Unreachable or FetchFault.TooSlow or FetchFault.SiteFailed;
}
