using System.Text.Json.Serialization;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Wishlists.Sharing;

/// <summary>
/// Share links of a list. The owner creates and revokes them. Anybody with a link sees the preview; signed-in users can join.
/// </summary>
internal static class ShareEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var owners = endpoints.MapGroup("/api/v1/wishlists/{id}/shares").WithTags("Wishlists");
        owners.MapGet(
            "",
            (HttpContext http, string id, WishlistService lists) =>
                lists
                    .ChangeAsync(
                        http.RequireCaller(),
                        async (work, ct) =>
                        {
                            await work.RequireOwnListAsync(WireText.Id(id), ct);
                            return await Shares.ListAsync(work.Records, id, ct);
                        },
                        http.RequestAborted
                    )
                    .AsTask()
        );
        owners.MapPost("", CreateAsync);
        owners.MapDelete("{shareId}", RevokeAsync);
        owners.MapGet("{shareId}/link", LinkAsync).WithSummary("The link of a share, to copy it again");
        owners.MapPost("{shareId}/restore", RestoreAsync).WithSummary("Restore a link that was revoked a few minutes ago");

        var holders = endpoints.MapGroup("/api/v1/share/{token}").WithTags("Wishlists");
        holders
            .MapGet(
                "",
                async (HttpContext http, string token, WishlistService lists) =>
                {
                    var preview = await lists.PreviewAsync(token, http.RequestAborted);
                    // The address contains the secret: keep it out of caches, search indexes and referrers.
                    http.Response.Headers.CacheControl = "no-store";
                    http.Response.Headers["X-Robots-Tag"] = "noindex";
                    http.Response.Headers["Referrer-Policy"] = "no-referrer";
                    return preview;
                }
            )
            .WithSummary("What a link shows before signing in");
        holders.MapPost(
            "join",
            (HttpContext http, string token, WishlistService lists) =>
                lists.JoinAsync(http.RequireCaller(), token, CancellationToken.None).AsTask()
        );
    }

    private static async Task<IResult> CreateAsync(HttpContext http, string id, WishlistService lists)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<CreateBody>(http, WireText.MaxBody, http.RequestAborted);
        var (share, token) = await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                await work.RequireOwnListAsync(WireText.Id(id), ct);
                return await Shares.CreateAsync(
                    work.Records,
                    id,
                    body.Role,
                    work.Unit.Now,
                    body.ExpiresAt,
                    body.ShowsWishes,
                    work.Options,
                    ct
                );
            },
            CancellationToken.None
        );
        http.Response.Headers.CacheControl = "no-store";
        return Results.Created(
            $"/api/v1/wishlists/{id}/shares/{share.Id}",
            new NewShare(share.Id, id, share.Role, share.CreatedAt, share.ExpiresAt, share.ShowsWishes, token, PathOf(token))
        );
    }

    private static async Task<IResult> RevokeAsync(HttpContext http, string id, string shareId, WishlistService lists)
    {
        await lists.ChangeAsync(
            http.RequireCaller(),
            async (work, ct) =>
            {
                await work.RequireOwnListAsync(WireText.Id(id), ct);
                return await Shares.RevokeAsync(work.Records, id, WireText.Id(shareId, "shareId"), work.Unit.Now, ct)
                    ? true
                    : throw new DunlinException(ErrorCode.NotFound, "No link with this id.");
            },
            CancellationToken.None
        );
        return Results.NoContent();
    }

    private static async Task<ShareLink> LinkAsync(HttpContext http, string id, string shareId, WishlistService lists)
    {
        var token = await lists.ChangeAsync(
            http.RequireCaller(),
            async (work, ct) =>
            {
                await work.RequireOwnListAsync(WireText.Id(id), ct);
                return await Shares.TokenAsync(work.Records, id, WireText.Id(shareId, "shareId"), ct);
            },
            http.RequestAborted
        );
        http.Response.Headers.CacheControl = "no-store";
        return new ShareLink(token, PathOf(token));
    }

    private static string PathOf(string token) => $"/wishlists/share/{token}";

    private static async Task<Share> RestoreAsync(HttpContext http, string id, string shareId, WishlistService lists) =>
        await lists.ChangeAsync(
            http.RequireCaller(),
            async (work, ct) =>
            {
                await work.RequireOwnListAsync(WireText.Id(id), ct);
                return await Shares.RestoreAsync(work.Records, id, WireText.Id(shareId, "shareId"), work.Unit.Now, work.Options, ct);
            },
            CancellationToken.None
        );

    private sealed record CreateBody(
        [property: JsonPropertyName("role")] string Role,
        [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt = null,
        [property: JsonPropertyName("shows_wishes")] bool ShowsWishes = false
    );

    private sealed record ShareLink([property: JsonPropertyName("token")] string Token, [property: JsonPropertyName("path")] string Path);

    private sealed record NewShare(
        [property: JsonPropertyName("id")] string Id,
        [property: JsonPropertyName("wishlist_id")] string WishlistId,
        [property: JsonPropertyName("role")] string Role,
        [property: JsonPropertyName("created_at")] DateTimeOffset CreatedAt,
        [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt,
        [property: JsonPropertyName("shows_wishes")] bool ShowsWishes,
        [property: JsonPropertyName("token")] string Token,
        [property: JsonPropertyName("path")] string Path
    );
}
