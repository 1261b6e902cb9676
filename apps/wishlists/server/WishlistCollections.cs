using System.Text.Json.Nodes;
using Dunlin.Apps.Wishlists.Items;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Diagnostics;
using Dunlin.RxDb;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using static Dunlin.Apps.Wishlists.WishlistSpaces;

namespace Dunlin.Apps.Wishlists;

/// <summary>
/// The collections of the page's database. Pushed changes follow the same rules as REST requests. A change that violates a rule is refused
/// without affecting the others, and the client reverts it.
/// </summary>
internal static class WishlistCollections
{
    private const string Epoch = "1970-01-01T00:00:00+00:00";

    public static void Add(RxDbBuilder rxdb) =>
        rxdb.AddCollection(
                new RxCollection(ListCollection)
                {
                    ClientFields = ["name", "description"],
                    Normalize = static fields => Trim(fields, "name", "description"),
                    Decide = DecideListAsync,
                    Tombstone = new JsonObject
                    {
                        ["name"] = "",
                        ["owner_id"] = "",
                        ["owner_name"] = "",
                        ["members"] = new JsonArray(),
                        ["created_at"] = Epoch,
                        ["updated_at"] = Epoch,
                    },
                }
            )
            .AddCollection(
                new RxCollection(ItemCollection)
                {
                    Schema = 1,
                    // Pages of version 0 keep fields that they do not know, and send them back unchanged.
                    OldestSchema = 0,
                    ClientFields = ItemFields.OfClient,
                    Normalize = static fields => Trim(fields, "title", "description", "source_url", "image_url"),
                    Decide = DecideItemAsync,
                    Hint = static item => new JsonObject { ["wishlist_id"] = item["wishlist_id"]?.DeepClone() },
                    Tombstone = new JsonObject
                    {
                        ["wishlist_id"] = "",
                        ["title"] = "",
                        ["quantity"] = 1,
                        ["status"] = ItemStatus.Manual,
                        ["title_edited"] = false,
                        ["created_at"] = Epoch,
                        ["updated_at"] = Epoch,
                    },
                }
            )
            .AddCollection(
                new RxCollection(MarkCollection)
                {
                    ClientFields = ["item_id", "quantity"],
                    Decide = DecideMarkAsync,
                    Hint = static mark => new JsonObject { ["item_id"] = mark["item_id"]?.DeepClone() },
                    Tombstone = new JsonObject
                    {
                        ["item_id"] = "",
                        ["quantity"] = 1,
                        ["wishlist_id"] = "",
                        ["user_id"] = "",
                        ["user_name"] = "",
                        ["created_at"] = Epoch,
                        ["updated_at"] = Epoch,
                    },
                }
            );

    private static async ValueTask<RxDecision> DecideListAsync(RxWrite write, CancellationToken cancellationToken)
    {
        var work = WorkOf(write);
        switch (write.Change)
        {
            case RxChange.Insert:
                WishlistJson.Replace(write.Document, await work.BeginListAsync(write.As<WishlistDocument>(), cancellationToken));
                return RxDecision.Insert(List(write.Id));
            case RxChange.Restore:
                // The items were deleted with the list, and members have received the deletion.
                return RxDecision.Refuse(ErrorCode.Conflict, "A deleted list cannot be restored.");
            default:
                var master = await work.RequireOwnListAsync(write.Id, cancellationToken);
                if (write.Change == RxChange.Delete)
                    await work.EmptyListAsync(write.Id, cancellationToken);
                else
                    WishlistJson.Replace(write.Document, work.ChangeList(master, write.As<WishlistDocument>()));
                return RxDecision.Write;
        }
    }

    private static async ValueTask<RxDecision> DecideItemAsync(RxWrite write, CancellationToken cancellationToken)
    {
        var work = WorkOf(write);
        if (write.Change is RxChange.Insert or RxChange.Restore)
        {
            var wanted = write.As<ItemDocument>();
            WishlistJson.Replace(write.Document, await work.BeginItemAsync(wanted, cancellationToken));
            return write.Change == RxChange.Insert ? RxDecision.Insert(List(wanted.WishlistId))
                : write.Space == List(wanted.WishlistId) ? RxDecision.Write
                : RxDecision.Refuse(ErrorCode.InvalidField, "An item cannot move to another list.");
        }
        var (master, _) = await work.RequireOwnItemAsync(write.Id, cancellationToken);
        if (write.Change == RxChange.Delete)
        {
            await work.EndItemAsync(master, cancellationToken);
            return RxDecision.Write;
        }
        var changed = write.As<ItemDocument>();
        if (changed.WishlistId != master.WishlistId)
            return RxDecision.Refuse(ErrorCode.InvalidField, "An item cannot move to another list.");
        WishlistJson.Replace(write.Document, await work.ChangeItemAsync(master, changed, cancellationToken));
        return RxDecision.Write;
    }

    private static async ValueTask<RxDecision> DecideMarkAsync(RxWrite write, CancellationToken cancellationToken)
    {
        var work = WorkOf(write);
        var wanted = write.As<MarkDocument>();
        // Also prevents naming another user's mark, which nobody else may change.
        if (write.Id != MarkDocument.IdOf(wanted.ItemId, write.Caller.UserId))
            return RxDecision.Refuse(ErrorCode.Forbidden, "The mark belongs to another user.");
        if (write.Change == RxChange.Delete)
            return RxDecision.Write;
        var mark = await work.MarkAsync(wanted.ItemId, wanted.Quantity, write.Change == RxChange.Update ? wanted : null, cancellationToken);
        WishlistJson.Replace(write.Document, mark);
        return write.Change == RxChange.Insert ? RxDecision.Insert(MarksOf(mark.WishlistId))
            : write.Space == MarksOf(mark.WishlistId) ? RxDecision.Write
            : RxDecision.Refuse(ErrorCode.InvalidField, "A mark cannot move to another item.");
    }

    private static WishlistWork WorkOf(RxWrite write) =>
        new(
            write.Unit,
            write.Records,
            write.Caller,
            write.Services.GetRequiredService<RxDocuments>(),
            write.Services.GetRequiredService<IOptions<WishlistOptions>>().Value
        );

    // Normalizes fields as the rules do, so that stored values do not differ from the pushed ones and cause conflicts.
    private static void Trim(JsonObject fields, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (fields[name] is not JsonValue value || !value.TryGetValue<string>(out var text))
                continue;
            var trimmed = text.Trim();
            if (trimmed.Length == 0 && (name is "description" or "source_url" or "image_url"))
                fields.Remove(name);
            else if (trimmed != text)
                fields[name] = trimmed;
        }
    }
}
