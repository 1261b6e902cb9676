using System.Text.Json.Serialization;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Wishlists.Items;

/// <summary><c>/api/v1/items</c>: items, and the caller's mark on each.</summary>
internal static class ItemEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/v1/items").WithTags("Wishlists");
        group.MapGet(
            "{id}",
            async (HttpContext http, string id, WishlistService lists) =>
                Etag.Answer(http, await lists.GetItemAsync(http.RequireCaller(), WireText.Id(id), http.RequestAborted))
        );
        group.MapPatch("{id}", UpdateAsync);
        group.MapDelete("{id}", DeleteAsync);
        group.MapPost("{id}/resolve", RetryAsync).WithSummary("Read the page of an item again");
        group.MapPut("{id}/mark", MarkAsync);
        group.MapDelete("{id}/mark", UnmarkAsync);
    }

    public static async Task<IResult> CreateAsync(HttpContext http, string id, WishlistService lists)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<CreateBody>(http, WireText.MaxBody, http.RequestAborted);
        if (string.IsNullOrWhiteSpace(body.Title) && string.IsNullOrWhiteSpace(body.SourceUrl))
            throw new DunlinException(ErrorCode.InvalidField, "An item needs 'title' or 'source_url'.", "title");
        var itemId = body.Id is null ? WireText.NewId() : WireText.Id(body.Id);
        var (item, isNew) = await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                await work.RequireOwnListAsync(WireText.Id(id), ct);
                if (await work.FindAnyItemAsync(itemId, ct) is { } known)
                    return known.WishlistId == id
                        ? (known, false)
                        : throw new DunlinException(
                            ErrorCode.Conflict,
                            $"An item with id '{itemId}' exists in another list. Use a new id.",
                            "id"
                        );
                var made = await work.BeginItemAsync(
                    new ItemDocument(itemId, id, body.Title ?? "")
                    {
                        Description = body.Description,
                        SourceUrl = body.SourceUrl,
                        Quantity = body.Quantity ?? 1,
                        Price = body.Price,
                        Currency = body.Currency,
                        PriceEdited = body.Price is not null,
                        ImageUrl = body.ImageUrl,
                        ImageEdited = body.ImageUrl is not null,
                        Priority = body.Priority,
                        Order = body.Order,
                    },
                    ct
                );
                await work.PutAsync(made, ct);
                return (made, true);
            },
            CancellationToken.None
        );
        return isNew ? Results.Created($"/api/v1/items/{itemId}", item) : Results.Ok(item);
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
                var (item, version) = await work.RequireOwnItemAsync(WireText.Id(id), ct);
                Etag.Require(expected, version);
                var wanted = item with
                {
                    Title = body.Title ?? item.Title,
                    Description = body.Description ?? item.Description,
                    SourceUrl = body.SourceUrl ?? item.SourceUrl,
                    Quantity = body.Quantity ?? item.Quantity,
                    Price = body.Price ?? item.Price,
                    Currency = body.Currency ?? item.Currency,
                    PriceEdited = item.PriceEdited || body.Price is not null || body.Currency is not null,
                    ImageUrl = body.ImageUrl ?? item.ImageUrl,
                    ImageEdited = item.ImageEdited || body.ImageUrl is not null,
                    Priority = body.Priority ?? item.Priority,
                    Order = body.Order ?? item.Order,
                };
                var after = await work.ChangeItemAsync(item, wanted, ct);
                return new Versioned<ItemDocument>(after, (await work.PutAsync(after, ct)).Version);
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
                var (item, _) = await work.RequireOwnItemAsync(WireText.Id(id), ct);
                await work.EndItemAsync(item, ct);
                return await work.DeleteItemAsync(item, ct);
            },
            CancellationToken.None
        );
        return Results.NoContent();
    }

    private static async Task<IResult> RetryAsync(HttpContext http, string id, WishlistService lists)
    {
        var item = await lists.ChangeAsync(
            http.RequireCaller(),
            async (work, ct) =>
            {
                var (known, _) = await work.RequireOwnItemAsync(WireText.Id(id), ct);
                var again = await work.RetryAsync(known, ct);
                await work.PutAsync(again, ct);
                return again;
            },
            CancellationToken.None
        );
        return Results.Accepted($"/api/v1/items/{id}", item);
    }

    private static async Task<MarkDocument> MarkAsync(HttpContext http, string id, WishlistService lists)
    {
        var caller = http.RequireCaller();
        var body = await RequestBody.ReadAsync<MarkBody>(http, WireText.MaxBody, http.RequestAborted);
        return await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                var (item, _, role, _) = await work.RequireItemAsync(WireText.Id(id), ct);
                WishlistWork.RequireMayMark(role);
                var known = await work.FindMarkAsync(item.WishlistId, MarkDocument.IdOf(id, caller.UserId), ct);
                var mark = await work.MarkAsync(id, body.Quantity, known, ct);
                await work.PutAsync(mark, ct);
                return mark;
            },
            CancellationToken.None
        );
    }

    private static async Task<IResult> UnmarkAsync(HttpContext http, string id, WishlistService lists)
    {
        var caller = http.RequireCaller();
        await lists.ChangeAsync(
            caller,
            async (work, ct) =>
            {
                var (item, _, role, _) = await work.RequireItemAsync(WireText.Id(id), ct);
                WishlistWork.RequireMayMark(role);
                return await work.DeleteMarkAsync(item.WishlistId, MarkDocument.IdOf(id, caller.UserId), ct);
            },
            CancellationToken.None
        );
        return Results.NoContent();
    }

    private sealed record CreateBody(
        [property: JsonPropertyName("title")] string? Title = null,
        [property: JsonPropertyName("id")] string? Id = null,
        [property: JsonPropertyName("description")] string? Description = null,
        [property: JsonPropertyName("source_url")] string? SourceUrl = null,
        [property: JsonPropertyName("quantity")] int? Quantity = null,
        [property: JsonPropertyName("price")] decimal? Price = null,
        [property: JsonPropertyName("currency")] string? Currency = null,
        [property: JsonPropertyName("image_url")] string? ImageUrl = null,
        [property: JsonPropertyName("priority")] string? Priority = null,
        [property: JsonPropertyName("order")] string? Order = null
    );

    private sealed record UpdateBody(
        [property: JsonPropertyName("title")] string? Title = null,
        [property: JsonPropertyName("description")] string? Description = null,
        [property: JsonPropertyName("source_url")] string? SourceUrl = null,
        [property: JsonPropertyName("quantity")] int? Quantity = null,
        [property: JsonPropertyName("price")] decimal? Price = null,
        [property: JsonPropertyName("currency")] string? Currency = null,
        [property: JsonPropertyName("image_url")] string? ImageUrl = null,
        [property: JsonPropertyName("priority")] string? Priority = null,
        [property: JsonPropertyName("order")] string? Order = null
    );

    private sealed record MarkBody([property: JsonPropertyName("quantity")] int Quantity);
}
