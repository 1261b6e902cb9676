using Dunlin.Records;

namespace Dunlin.Apps.Wishlists;

/// <summary>
/// Names the spaces of records. A list and its items are one space, which the owner and all members read. The marks are another space,
/// which the owner never reads. So no pull, hint or count can reveal marks to the owner. Shares are in spaces without readers.
/// </summary>
internal static class WishlistSpaces
{
    public const string ListCollection = "wishlists";
    public const string ItemCollection = "items";
    public const string MarkCollection = "marks";

    private const string Root = "wishlists";

    /// <summary>The space of shares by the hash of their token.</summary>
    public static SpaceName Tokens { get; } = SpaceName.Parse("wishlist-tokens");

    /// <summary>The space of each user's <see cref="Usage"/>.</summary>
    public static SpaceName Fetches { get; } = SpaceName.Parse("wishlist-fetches");

    public static SpaceName List(string listId) => SpaceName.Of(Root, listId);

    public static SpaceName MarksOf(string listId) => SpaceName.Of("wishlist-marks", listId);

    public static SpaceName SharesOf(string listId) => SpaceName.Of("wishlist-shares", listId);

    /// <summary>Returns the list of a space; null if the space belongs to something else.</summary>
    public static string? ListIdOf(SpaceName space) =>
        space.Value.StartsWith(Root + "/", StringComparison.Ordinal) ? Uri.UnescapeDataString(space.Value[(Root.Length + 1)..]) : null;
}
