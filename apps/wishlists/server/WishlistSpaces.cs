using Dunlin.Records;

namespace Dunlin.Apps.Wishlists;

/// <summary>
/// Where the records lie. A list and its items are one space, read by the owner and all members; the marks on it are another,
/// which the owner is never given: so no pull, hint or count can tell the owner of them, whatever asks. Shares lie in spaces
/// that nobody is given.
/// </summary>
internal static class WishlistSpaces
{
    public const string ListCollection = "wishlists";
    public const string ItemCollection = "items";
    public const string MarkCollection = "marks";

    private const string Root = "wishlists";

    /// <summary>Finds the share of a token, by the token's hash.</summary>
    public static SpaceName Tokens { get; } = SpaceName.Parse("wishlist-tokens");

    /// <summary>The <see cref="Usage"/> of each user.</summary>
    public static SpaceName Fetches { get; } = SpaceName.Parse("wishlist-fetches");

    public static SpaceName List(string listId) => SpaceName.Of(Root, listId);

    public static SpaceName MarksOf(string listId) => SpaceName.Of("wishlist-marks", listId);

    public static SpaceName SharesOf(string listId) => SpaceName.Of("wishlist-shares", listId);

    /// <summary>The list of a space; null where it is the space of something else.</summary>
    public static string? ListIdOf(SpaceName space) =>
        space.Value.StartsWith(Root + "/", StringComparison.Ordinal) ? Uri.UnescapeDataString(space.Value[(Root.Length + 1)..]) : null;
}
