using System.Text.Json.Serialization;

namespace Dunlin.Apps.Wishlists.Lists;

/// <summary>A wishlist, as clients have it. The client writes name and description; the rest is the server's.</summary>
public sealed record WishlistDocument([property: JsonPropertyName("id")] string Id, [property: JsonPropertyName("name")] string Name)
{
    /// <summary>More about it.</summary>
    [JsonPropertyName("description"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Description { get; init; }

    /// <summary>Whose wishes they are.</summary>
    [JsonPropertyName("owner_id")]
    public string OwnerId { get; init; } = "";

    /// <summary>The owner's name.</summary>
    [JsonPropertyName("owner_name")]
    public string OwnerName { get; init; } = "";

    /// <summary>Gets the members of the list.</summary>
    [JsonPropertyName("members")]
    public IReadOnlyList<WishlistMember> Members { get; init; } = [];

    /// <summary>When it was made.</summary>
    [JsonPropertyName("created_at")]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    [JsonPropertyName("updated_at")]
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A member of a wishlist. <paramref name="Role"/> is <c>view</c> or <c>mark</c>.</summary>
public sealed record WishlistMember(
    [property: JsonPropertyName("user_id")] string UserId,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("role")] string Role
);
