using System.ComponentModel.DataAnnotations;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Wishlists;

/// <summary>Limits of one user. A reached count is answered with 413, a reached rate with 429. Both answers contain the limit.</summary>
public sealed class WishlistOptions
{
    /// <summary>Maximum of lists of one owner. Default: 200.</summary>
    [Range(1, 10_000)]
    public int MaxLists { get; set; } = 200;

    /// <summary>
    /// Maximum of lists that one owner creates in a day. Default: 400. The ids of deleted lists stay reserved, so <see cref="MaxLists"/>
    /// alone does not bound them.
    /// </summary>
    [Range(1, 100_000)]
    public int NewListsPerDay { get; set; } = 400;

    /// <summary>Maximum of lists of others that one user joined. Default: 500.</summary>
    [Range(1, 10_000)]
    public int MaxJoinedLists { get; set; } = 500;

    /// <summary>Maximum of items in one list. Default: 500.</summary>
    [Range(1, 10_000)]
    public int MaxItems { get; set; } = 500;

    /// <summary>Maximum of links of one list, including expired ones. Default: 50.</summary>
    [Range(1, 1_000)]
    public int MaxShares { get; set; } = 50;

    /// <summary>Maximum of members of one list. Default: 200.</summary>
    [Range(1, 1_000)]
    public int MaxMembers { get; set; } = 200;

    /// <summary>Maximum of one user's pages that wait to be read or retried. Default: 500.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingPages { get; set; } = 500;

    /// <summary>Average rate at which one user's pages are read, per minute. Further pages wait. Default: 60.</summary>
    [Range(1, 6_000)]
    public int PagesPerMinute { get; set; } = 60;

    /// <summary>Maximum of one user's pages that are read at once above the average rate. Default: 20.</summary>
    [Range(1, 1_000)]
    public int PageBurst { get; set; } = 20;

    /// <summary>Maximum of repeated reads that one user may request per minute. Default: 30.</summary>
    [Range(1, 6_000)]
    public int RefreshesPerMinute { get; set; } = 30;

    /// <summary>Creates the error for a reached count.</summary>
    internal static DunlinException Reached(int limit, string text, string? field = null) =>
        new(ErrorCode.TooLarge, text, field) { Extensions = LimitOf(limit) };

    /// <summary>Creates the error for a reached rate.</summary>
    internal static DunlinException TooFast(int limit, string text, TimeSpan wait) =>
        new(ErrorCode.TooManyRequests, text) { RetryAfter = wait, Extensions = LimitOf(limit) };

    private static Dictionary<string, object?> LimitOf(int limit) => new(StringComparer.Ordinal) { ["limit"] = limit };
}
