using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Records;
using static Dunlin.Apps.Wishlists.WishlistSpaces;

namespace Dunlin.Apps.Wishlists.Sharing;

/// <summary>A link to join a list. The token is shown once; the store contains only its hash.</summary>
internal sealed record Share(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("wishlist_id")] string WishlistId,
    [property: JsonPropertyName("role")] string Role,
    [property: JsonPropertyName("created_at")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt
)
{
    /// <summary>Whether the link is still valid.</summary>
    public bool IsOpenAt(DateTimeOffset now) => ExpiresAt is null || now < ExpiresAt;
}

/// <summary>Stores the links of lists in spaces without readers.</summary>
internal static class Shares
{
    public const string ViewRole = "view";
    public const string MarkRole = "mark";

    private const int TokenBytes = 32;

    public static string Role(string role) =>
        role is ViewRole or MarkRole ? role : throw new DunlinException(ErrorCode.InvalidField, "'role' must be view or mark.", "role");

    public static async ValueTask<(Share Share, string Token)> CreateAsync(
        RecordWriter records,
        string listId,
        string role,
        DateTimeOffset now,
        DateTimeOffset? expiresAt,
        WishlistOptions options,
        CancellationToken cancellationToken
    )
    {
        if (expiresAt <= now)
            throw new DunlinException(ErrorCode.InvalidField, "'expires_at' must be in the future.", "expires_at");
        if ((await ListAsync(records, listId, cancellationToken)).Count >= options.MaxShares)
            throw WishlistOptions.Reached(options.MaxShares, $"The limit for one list is {options.MaxShares} links. Revoke one first.");
        var token = Base64Url(RandomNumberGenerator.GetBytes(TokenBytes));
        var share = new Share(WireText.NewId(), listId, Role(role), now, expiresAt);
        await records.PutAsync(SharesOf(listId), share.Id, new Row(share, HashOf(token)), cancellationToken: cancellationToken);
        await records.PutAsync(Tokens, HashOf(token), new ShareKey(listId, share.Id), cancellationToken: cancellationToken);
        return (share, token);
    }

    public static async ValueTask<IReadOnlyList<Share>> ListAsync(
        RecordWriter records,
        string listId,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await records.ListAsync(SharesOf(listId), cancellationToken: cancellationToken)).Select(row =>
                WishlistJson.Read<Row>(row).Share
            ),
        ];

    public static async ValueTask<bool> RevokeAsync(
        RecordWriter records,
        string listId,
        string shareId,
        CancellationToken cancellationToken
    )
    {
        if (await records.FindAsync<Row>(SharesOf(listId), shareId, cancellationToken) is not { } row)
            return false;
        await records.DeleteAsync(Tokens, row.TokenHash, cancellationToken);
        return await records.DeleteAsync(SharesOf(listId), shareId, cancellationToken);
    }

    public static async ValueTask RevokeAllAsync(RecordWriter records, string listId, CancellationToken cancellationToken)
    {
        foreach (var share in await ListAsync(records, listId, cancellationToken))
            await RevokeAsync(records, listId, share.Id, cancellationToken);
    }

    /// <summary>Returns the link of a token. Unknown, expired and revoked tokens give the same error.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>.</exception>
    public static async ValueTask<Share> RequireAsync(
        IRecordTable records,
        string token,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        // The look-up uses the hash, so its duration reveals nothing about similar tokens.
        if (
            token.Length == Base64Url(new byte[TokenBytes]).Length
            && await records.FindAsync(Tokens, HashOf(token), cancellationToken) is { IsDeleted: false } found
            && WishlistJson.Read<ShareKey>(found) is var place
            && await records.FindAsync(SharesOf(place.WishlistId), place.ShareId, cancellationToken) is { IsDeleted: false } row
            && WishlistJson.Read<Row>(row).Share is var share
            && share.IsOpenAt(now)
        )
        {
            return share;
        }
        throw new DunlinException(ErrorCode.NotFound, "The link is unknown, expired or revoked. Ask the owner of the list for a new one.");
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private sealed record Row(Share Share, string TokenHash);

    private sealed record ShareKey(string WishlistId, string ShareId);
}
