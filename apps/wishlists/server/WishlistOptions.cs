using System.ComponentModel.DataAnnotations;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Wishlists;

/// <summary>What one user may keep and cause. A count that is reached is answered with 413, a rate with 429; both name the limit.</summary>
public sealed class WishlistOptions
{
    /// <summary>Lists of one owner. Default: 200.</summary>
    [Range(1, 10_000)]
    public int MaxLists { get; set; } = 200;

    /// <summary>Lists that one owner makes in a day. Default: 400. The id of a deleted list stays taken, so a count of lists alone bounds
    /// nothing.</summary>
    [Range(1, 100_000)]
    public int NewListsPerDay { get; set; } = 400;

    /// <summary>Lists of others that one user has joined. Default: 500.</summary>
    [Range(1, 10_000)]
    public int MaxJoinedLists { get; set; } = 500;

    /// <summary>Items of one list. Default: 500.</summary>
    [Range(1, 10_000)]
    public int MaxItems { get; set; } = 500;

    /// <summary>Links of one list, expired ones included. Default: 50.</summary>
    [Range(1, 1_000)]
    public int MaxShares { get; set; } = 50;

    /// <summary>Members of one list. Default: 200.</summary>
    [Range(1, 1_000)]
    public int MaxMembers { get; set; } = 200;

    /// <summary>Pages of one user that wait to be read, or for another attempt. Default: 500.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingPages { get; set; } = 500;

    /// <summary>Pages of one user that are read in a minute, on average; further ones wait. Default: 60.</summary>
    [Range(1, 6_000)]
    public int PagesPerMinute { get; set; } = 60;

    /// <summary>Pages of one user that are read at once above the average. Default: 20.</summary>
    [Range(1, 1_000)]
    public int PageBurst { get; set; } = 20;

    /// <summary>How often one user may have pages read again in a minute. Default: 30.</summary>
    [Range(1, 6_000)]
    public int RefreshesPerMinute { get; set; } = 30;

    /// <summary>A count is reached.</summary>
    internal static DunlinException Reached(int limit, string text, string? field = null) =>
        new(ErrorCode.TooLarge, text, field) { Extensions = LimitOf(limit) };

    /// <summary>A rate is reached.</summary>
    internal static DunlinException TooFast(int limit, string text, TimeSpan wait) =>
        new(ErrorCode.TooManyRequests, text) { RetryAfter = wait, Extensions = LimitOf(limit) };

    private static Dictionary<string, object?> LimitOf(int limit) => new(StringComparer.Ordinal) { ["limit"] = limit };
}
