using System.Text.Json.Serialization;

namespace Dunlin.Apps.Wishlists.Items;

/// <summary>
/// An item of a wishlist. The client writes list (once), title, description, address, quantity, priority and order. Price and picture come
/// from the page at the address, unless the client has set them.
/// </summary>
public sealed record ItemDocument(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("wishlist_id")] string WishlistId,
    [property: JsonPropertyName("title")] string Title
)
{
    /// <summary>The description; null for none.</summary>
    [JsonPropertyName("description"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Description { get; init; }

    /// <summary>The address of the item's page.</summary>
    [JsonPropertyName("source_url"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SourceUrl { get; init; }

    /// <summary>The wanted quantity. Default: 1.</summary>
    [JsonPropertyName("quantity")]
    public int Quantity { get; init; } = 1;

    /// <summary>One of <see cref="ItemStatus"/>.</summary>
    [JsonPropertyName("status")]
    public string Status { get; init; } = ItemStatus.Manual;

    /// <summary>Whether a user set the title. Then the title of the page does not replace it.</summary>
    [JsonPropertyName("title_edited")]
    public bool TitleEdited { get; init; }

    /// <summary>Whether a user set or removed the price. Then the price of the page does not replace it.</summary>
    [JsonPropertyName("price_edited"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool PriceEdited { get; init; }

    /// <summary>Whether a user set or removed the picture. Then the picture of the page does not replace it.</summary>
    [JsonPropertyName("image_edited"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ImageEdited { get; init; }

    /// <summary><c>high</c> or <c>low</c>; null for the normal priority.</summary>
    [JsonPropertyName("priority"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Priority { get; init; }

    /// <summary>The sort key in the list, a base 62 fraction in ASCII order. An item without one sorts by its creation, newest
    /// first.</summary>
    [JsonPropertyName("order"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Order { get; init; }

    /// <summary>The price, by the user or the page.</summary>
    [JsonPropertyName("price"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public decimal? Price { get; init; }

    /// <summary>The currency of the price, an ISO 4217 code; null if unknown.</summary>
    [JsonPropertyName("currency"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Currency { get; init; }

    /// <summary>The http or https address of a picture.</summary>
    [JsonPropertyName("image_url"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ImageUrl { get; init; }

    /// <summary>The error code of the last attempt to read the page; null before the first and after a successful one.</summary>
    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    /// <summary>When the page was read.</summary>
    [JsonPropertyName("resolved_at"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>When it was created.</summary>
    [JsonPropertyName("created_at")]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonPropertyName("updated_at")]
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>The state of reading an item's page.</summary>
public static class ItemStatus
{
    /// <summary>The item has no page.</summary>
    public const string Manual = "manual";

    /// <summary>The page waits for its turn or for another attempt.</summary>
    public const string Pending = "pending";

    /// <summary>The page is being read.</summary>
    public const string Resolving = "resolving";

    /// <summary>The page was read.</summary>
    public const string Resolved = "resolved";

    /// <summary>The page could not be read. The owner may retry.</summary>
    public const string Failed = "failed";
}
