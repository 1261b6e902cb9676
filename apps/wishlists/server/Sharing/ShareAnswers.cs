using System.Text.Json.Serialization;

namespace Dunlin.Apps.Wishlists.Sharing;

/// <summary>What a link shows before anybody has signed in.</summary>
internal sealed record SharePreview(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("owner_name")] string OwnerName,
    [property: JsonPropertyName("role")] string Role,
    [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt
);

/// <summary>What joining came to; <paramref name="Role"/> is <c>view</c>, <c>mark</c> or <c>owner</c>.</summary>
internal sealed record JoinAnswer(
    [property: JsonPropertyName("wishlist_id")] string WishlistId,
    [property: JsonPropertyName("role")] string Role
);
