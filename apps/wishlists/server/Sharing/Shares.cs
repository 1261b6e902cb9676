using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Records;
using static Dunlin.Apps.Wishlists.WishlistSpaces;

namespace Dunlin.Apps.Wishlists.Sharing;

/// <summary>A link to join a list. Its token is a secret of the owner and of those who have the link.</summary>
internal sealed record Share(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("wishlist_id")] string WishlistId,
    [property: JsonPropertyName("role")] string Role,
    [property: JsonPropertyName("created_at")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt,
    // Whether the link shows the wishes before anybody signs in.
    [property: JsonPropertyName("shows_wishes")] bool ShowsWishes = false
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

    /// <summary>How long a revoked link can be restored.</summary>
    private static readonly TimeSpan RestoreLimit = TimeSpan.FromMinutes(10);

    public static string Role(string role) =>
        role is ViewRole or MarkRole ? role : throw new DunlinException(ErrorCode.InvalidField, "'role' must be view or mark.", "role");

    public static async ValueTask<(Share Share, string Token)> CreateAsync(
        RecordWriter records,
        string listId,
        string role,
        DateTimeOffset now,
        DateTimeOffset? expiresAt,
        bool showsWishes,
        WishlistOptions options,
        CancellationToken cancellationToken
    )
    {
        if (expiresAt <= now)
            throw new DunlinException(ErrorCode.InvalidField, "'expires_at' must be in the future.", "expires_at");
        await DropRevokedAsync(records, listId, now, cancellationToken);
        if ((await ListAsync(records, listId, cancellationToken)).Count >= options.MaxShares)
            throw WishlistOptions.Reached(options.MaxShares, $"The limit for one list is {options.MaxShares} links. Revoke one first.");
        var token = Base64Url(RandomNumberGenerator.GetBytes(TokenBytes));
        var share = new Share(WireText.NewId(), listId, Role(role), now, expiresAt, showsWishes);
        await records.PutAsync(
            SharesOf(listId),
            share.Id,
            new Row(share, HashOf(token), Token: token),
            cancellationToken: cancellationToken
        );
        await records.PutAsync(Tokens, HashOf(token), new ShareKey(listId, share.Id), cancellationToken: cancellationToken);
        return (share, token);
    }

    public static async ValueTask<IReadOnlyList<Share>> ListAsync(
        RecordWriter records,
        string listId,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await records.ListAsync(SharesOf(listId), cancellationToken: cancellationToken))
                .Select(WishlistJson.Read<Row>)
                .Where(row => row.RevokedAt is null)
                .Select(row => row.Share),
        ];

    /// <summary>Ends a link at once. It can be restored for 10 minutes.</summary>
    /// <returns>False if the list has no such link.</returns>
    public static async ValueTask<bool> RevokeAsync(
        RecordWriter records,
        string listId,
        string shareId,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await DropRevokedAsync(records, listId, now, cancellationToken);
        if (await records.FindAsync<Row>(SharesOf(listId), shareId, cancellationToken) is not { RevokedAt: null } row)
            return false;
        await records.DeleteAsync(Tokens, row.TokenHash, cancellationToken);
        await records.PutAsync(SharesOf(listId), shareId, row with { RevokedAt = now }, cancellationToken: cancellationToken);
        return true;
    }

    /// <summary>Restores a link that was revoked at most 10 minutes ago, with the same token. A link that was not revoked stays.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.NotFound"/>: the list has no such link, or it was revoked too long ago.
    /// <see cref="ErrorCode.TooLarge"/>: the list has too many links.
    /// </exception>
    public static async ValueTask<Share> RestoreAsync(
        RecordWriter records,
        string listId,
        string shareId,
        DateTimeOffset now,
        WishlistOptions options,
        CancellationToken cancellationToken
    )
    {
        await DropRevokedAsync(records, listId, now, cancellationToken);
        var row =
            await records.FindAsync<Row>(SharesOf(listId), shareId, cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, "No link with this id that can be restored.");
        if (row.RevokedAt is null)
            return row.Share;
        if ((await ListAsync(records, listId, cancellationToken)).Count >= options.MaxShares)
            throw WishlistOptions.Reached(options.MaxShares, $"The limit for one list is {options.MaxShares} links. Revoke one first.");
        await records.PutAsync(Tokens, row.TokenHash, new ShareKey(listId, shareId), cancellationToken: cancellationToken);
        await records.PutAsync(SharesOf(listId), shareId, row with { RevokedAt = null }, cancellationToken: cancellationToken);
        return row.Share;
    }

    /// <summary>Returns the token of a link.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.NotFound"/>: the list has no such link. <see cref="ErrorCode.Conflict"/>: the link is of a former version,
    /// which did not store tokens.
    /// </exception>
    public static async ValueTask<string> TokenAsync(
        RecordWriter records,
        string listId,
        string shareId,
        CancellationToken cancellationToken
    )
    {
        if (await records.FindAsync<Row>(SharesOf(listId), shareId, cancellationToken) is not { RevokedAt: null } row)
            throw new DunlinException(ErrorCode.NotFound, "No link with this id.");
        return row.Token
            ?? throw new DunlinException(ErrorCode.Conflict, "The link was made before links could be read again. Make a new one.");
    }

    /// <summary>Deletes all links of a list, without a way back.</summary>
    public static async ValueTask DeleteAllAsync(RecordWriter records, string listId, CancellationToken cancellationToken)
    {
        foreach (var record in await records.ListAsync(SharesOf(listId), cancellationToken: cancellationToken))
        {
            await records.DeleteAsync(Tokens, WishlistJson.Read<Row>(record).TokenHash, cancellationToken);
            await records.DeleteAsync(SharesOf(listId), record.Key, cancellationToken);
        }
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

    private static async ValueTask DropRevokedAsync(
        RecordWriter records,
        string listId,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        foreach (var record in await records.ListAsync(SharesOf(listId), cancellationToken: cancellationToken))
        {
            if (WishlistJson.Read<Row>(record).RevokedAt is { } revokedAt && revokedAt + RestoreLimit < now)
                await records.DeleteAsync(SharesOf(listId), record.Key, cancellationToken);
        }
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    // Rows of former versions have no token, only its hash. The token is stored so that the owner can copy the link again. It opens nothing
    // to a reader of the store, which contains the lists.
    private sealed record Row(Share Share, string TokenHash, DateTimeOffset? RevokedAt = null, string? Token = null);

    private sealed record ShareKey(string WishlistId, string ShareId);
}
