using System.Text.Json.Serialization;

namespace Dunlin.Apps.Wishlists.Items;

/// <summary>Somebody's promise to give some of a wish. Its id is the item's, <c>~</c> and the user's, so that each user has one for each
/// item, on all devices. The owner of the list never sees any.</summary>
public sealed record MarkDocument(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("item_id")] string ItemId,
    [property: JsonPropertyName("quantity")] int Quantity
)
{
    /// <summary>The list of the item.</summary>
    [JsonPropertyName("wishlist_id")]
    public string WishlistId { get; init; } = "";

    /// <summary>Who gives it.</summary>
    [JsonPropertyName("user_id")]
    public string UserId { get; init; } = "";

    /// <summary>The name of who gives it.</summary>
    [JsonPropertyName("user_name")]
    public string UserName { get; init; } = "";

    /// <summary>When it was made.</summary>
    [JsonPropertyName("created_at")]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonPropertyName("updated_at")]
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The id of a user's mark on an item.</summary>
    public static string IdOf(string itemId, string userId) => itemId + "~" + userId;
}
