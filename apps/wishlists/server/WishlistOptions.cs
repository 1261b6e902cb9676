using System.ComponentModel.DataAnnotations;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Wishlists;

/// <summary>Limits for one user. A reached count gets 413 and a reached rate 429; both have <c>limit</c>.</summary>
public sealed class WishlistOptions
{
    /// <summary>Largest number of lists of one owner. Default: 200. Range: 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int MaxLists { get; set; } = 200;

    /// <summary>
    /// New lists of one owner per day. The id of a deleted list stays reserved, so <see cref="MaxLists"/> alone would not limit the
    /// store. Default: 400. Range: 1 to 100,000.
    /// </summary>
    [Range(1, 100_000)]
    public int NewListsPerDay { get; set; } = 400;

    /// <summary>Largest number of lists of other owners that one user has joined. Default: 500. Range: 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int MaxJoinedLists { get; set; } = 500;

    /// <summary>Largest number of items of one list. Default: 500. Range: 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int MaxItems { get; set; } = 500;

    /// <summary>Largest number of links of one list, expired links included. Default: 50. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxShares { get; set; } = 50;

    /// <summary>Largest number of members of one list. Default: 200. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxMembers { get; set; } = 200;

    /// <summary>Largest number of pages of one user that wait for a fetch or a retry. Default: 500. Range: 1 to 100,000.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingPages { get; set; } = 500;

    /// <summary>Pages of one user that are fetched per minute, on average. Further pages wait. Default: 60. Range: 1 to 6,000.</summary>
    [Range(1, 6_000)]
    public int PagesPerMinute { get; set; } = 60;

    /// <summary>Pages of one user that are fetched at once after a pause. Default: 20. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int PageBurst { get; set; } = 20;

    /// <summary>Refreshes of pages by one user per minute. Default: 30. Range: 1 to 6,000.</summary>
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
