using System.Text.Json.Serialization;
using Dunlin.Apps.Wishlists.Items;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Wishlists.Lists;

/// <summary><c>/api/v1/wishlists</c>: lists and their members.</summary>
internal static class WishlistEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/v1/wishlists").WithTags("Wishlists");
        group.MapGet(
            "",
            (HttpContext http, WishlistService lists) => lists.ListAsync(http.RequireCaller(), isOwn: true, http.RequestAborted).AsTask()
        );
        group.MapGet(
            "shared",
            (HttpContext http, WishlistService lists) => lists.ListAsync(http.RequireCaller(), isOwn: false, http.RequestAborted).AsTask()
        );
        group.MapPost("", CreateAsync);
        group.MapGet(
            "{id}",
            async (HttpContext http, string id, WishlistService lists) =>
                Etag.Answer(http, await lists.GetListAsync(http.RequireCaller(), id, http.RequestAborted))
        );
        group.MapPatch("{id}", UpdateAsync);
        group.MapDelete("{id}", DeleteAsync);
        group.MapGet(
            "{id}/items",
            (HttpContext http, string id, WishlistService lists) => lists.ItemsAsync(http.RequireCaller(), id, http.RequestAborted).AsTask()
        );
        group.MapPost("{id}/items", ItemEndpoints.CreateAsync);
        group.MapGet(
            "{id}/marks",
            (HttpContext http, string id, WishlistService lists) => lists.MarksAsync(http.RequireCaller(), id, http.RequestAborted).AsTask()
        );
        group.MapDelete("{id}/members/{userId}", RemoveMemberAsync);
    }

    private static async Task<IResult> CreateAsync(HttpContext http, WishlistService lists)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<CreateBody>(http, WireText.MaxBody, http.RequestAborted);
        var id = body.Id is null ? WireText.NewId() : WireText.Id(body.Id);
        var (list, isNew) = await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                // A repeated request with the same client-chosen id returns the existing list.
                if (
                    await work.Records.MayReadAsync(WishlistSpaces.List(id), caller.UserId, ct) && await OwnAsync(work, id, ct) is { } known
                )
                    return (known, false);
                var made = await work.BeginListAsync(new WishlistDocument(id, body.Name) { Description = body.Description }, ct);
                await work.PutAsync(made, ct);
                return (made, true);
            },
            CancellationToken.None
        );
        return isNew ? Results.Created($"/api/v1/wishlists/{id}", list) : Results.Ok(list);
    }

    private static async Task<IResult> UpdateAsync(HttpContext http, string id, WishlistService lists)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<UpdateBody>(http, WireText.MaxBody, http.RequestAborted);
        var expected = IfMatch.Of(http.Request);
        var changed = await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                var list = await work.RequireOwnListAsync(WireText.Id(id), ct);
                if (expected is not null)
                    Etag.Require(
                        expected,
                        (await work.Records.FindAsync(WishlistSpaces.List(id), WishlistSpaces.ListCollection + "/" + id, ct))!.Version
                    );
                var wanted = work.ChangeList(
                    list,
                    list with
                    {
                        Name = body.Name ?? list.Name,
                        Description = body.Description ?? list.Description,
                    }
                );
                return new Versioned<WishlistDocument>(wanted, (await work.PutAsync(wanted, ct)).Version);
            },
            CancellationToken.None
        );
        return Etag.Answer(http, changed);
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, string id, WishlistService lists)
    {
        await lists.ChangeAsync(
            http.RequireCaller(),
            async (work, ct) =>
            {
                await work.RequireOwnListAsync(WireText.Id(id), ct);
                await work.EmptyListAsync(id, ct);
                return await work.DeleteListAsync(id, ct);
            },
            CancellationToken.None
        );
        return Results.NoContent();
    }

    private static async Task<IResult> RemoveMemberAsync(HttpContext http, string id, string userId, WishlistService lists)
    {
        var caller = http.RequireCaller();
        await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                var (list, role) = await work.RequireListAsync(WireText.Id(id), ct);
                if (role != WishlistRole.Owner && userId != caller.UserId)
                    throw new DunlinException(
                        ErrorCode.Forbidden,
                        "Only the owner can remove other members. You can leave the list yourself."
                    );
                return await work.EndMembershipAsync(list, userId, ct)
                    ? true
                    : throw new DunlinException(ErrorCode.NotFound, "The list has no member with this id.");
            },
            CancellationToken.None
        );
        return Results.NoContent();
    }

    private static async ValueTask<WishlistDocument?> OwnAsync(WishlistWork work, string id, CancellationToken cancellationToken)
    {
        var list = await work.Records.FindAsync<WishlistDocument>(
            WishlistSpaces.List(id),
            WishlistSpaces.ListCollection + "/" + id,
            cancellationToken
        );
        return list is not null && list.OwnerId == work.Caller.UserId ? list : null;
    }

    private sealed record CreateBody(
        [property: JsonPropertyName("name")] string Name,
        [property: JsonPropertyName("id")] string? Id = null,
        [property: JsonPropertyName("description")] string? Description = null
    );

    private sealed record UpdateBody(
        [property: JsonPropertyName("name")] string? Name = null,
        [property: JsonPropertyName("description")] string? Description = null
    );
}
