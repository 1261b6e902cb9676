using System.Text.Json.Serialization;
using Dunlin.Apps.Wishlists.Items;

namespace Dunlin.Apps.Wishlists.Sharing;

/// <summary>What a link shows before anybody has signed in. <paramref name="Wishes"/> is null if the link does not show them.</summary>
internal sealed record SharePreview(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("owner_name")] string OwnerName,
    [property: JsonPropertyName("role")] string Role,
    [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt,
    [property: JsonPropertyName("wishes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyList<ItemDocument>? Wishes = null
);

/// <summary>What joining came to; <paramref name="Role"/> is <c>view</c>, <c>mark</c> or <c>owner</c>.</summary>
internal sealed record JoinAnswer(
    [property: JsonPropertyName("wishlist_id")] string WishlistId,
    [property: JsonPropertyName("role")] string Role
);
