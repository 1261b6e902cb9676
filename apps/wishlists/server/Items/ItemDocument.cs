using System.Text.Json.Serialization;

namespace Dunlin.Apps.Wishlists.Items;

/// <summary>A wish. The client writes list (once), title, description, address and quantity; what the page at the address says is
/// the server's.</summary>
public sealed record ItemDocument(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("wishlist_id")] string WishlistId,
    [property: JsonPropertyName("title")] string Title
)
{
    /// <summary>More about it.</summary>
    [JsonPropertyName("description"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Description { get; init; }

    /// <summary>The page that shows it.</summary>
    [JsonPropertyName("source_url"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SourceUrl { get; init; }

    /// <summary>How many are wanted.</summary>
    [JsonPropertyName("quantity")]
    public int Quantity { get; init; } = 1;

    /// <summary>One of <see cref="ItemStatus"/>.</summary>
    [JsonPropertyName("status")]
    public string Status { get; init; } = ItemStatus.Manual;

    /// <summary>Whether a person has given the title: then the page's does not replace it.</summary>
    [JsonPropertyName("title_edited")]
    public bool TitleEdited { get; init; }

    /// <summary>What it costs, by the page.</summary>
    [JsonPropertyName("price"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public decimal? Price { get; init; }

    /// <summary>The currency of the price, a code of ISO 4217; absent where the page does not say.</summary>
    [JsonPropertyName("currency"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Currency { get; init; }

    /// <summary>A picture: an http or https address.</summary>
    [JsonPropertyName("image_url"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ImageUrl { get; init; }

    /// <summary>Why the page could not be read, a word; only with <see cref="ItemStatus.Failed"/>.</summary>
    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    /// <summary>When the page was read.</summary>
    [JsonPropertyName("resolved_at"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>When it was made.</summary>
    [JsonPropertyName("created_at")]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonPropertyName("updated_at")]
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Where the reading of an item's page stands.</summary>
public static class ItemStatus
{
    /// <summary>There is no page to read.</summary>
    public const string Manual = "manual";

    /// <summary>It waits for its turn, or for another attempt.</summary>
    public const string Pending = "pending";

    /// <summary>The page is being read.</summary>
    public const string Resolving = "resolving";

    /// <summary>The page has been read.</summary>
    public const string Resolved = "resolved";

    /// <summary>The page could not be read; retrying is up to the owner.</summary>
    public const string Failed = "failed";
}
