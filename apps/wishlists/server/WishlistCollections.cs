using System.Text.Json.Nodes;
using Dunlin.Apps.Wishlists.Items;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Diagnostics;
using Dunlin.RxDb;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using static Dunlin.Apps.Wishlists.WishlistSpaces;

namespace Dunlin.Apps.Wishlists;

/// <summary>The collections of the page's database, and what is made of a pushed change: the same rules as by REST. What breaks
/// one is refused, alone, and taken back by the client.</summary>
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
                    ClientFields = ["wishlist_id", "title", "description", "source_url", "quantity"],
                    Normalize = static fields => Trim(fields, "title", "description", "source_url"),
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
                // Its items went with it, and whoever it was shared with has seen it go.
                return RxDecision.Refuse(ErrorCode.Conflict, "a deleted list stays deleted");
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
                : RxDecision.Refuse(ErrorCode.InvalidField, "an item stays in its list");
        }
        var (master, _) = await work.RequireOwnItemAsync(write.Id, cancellationToken);
        if (write.Change == RxChange.Delete)
        {
            await work.EndItemAsync(master, cancellationToken);
            return RxDecision.Write;
        }
        var changed = write.As<ItemDocument>();
        if (changed.WishlistId != master.WishlistId)
            return RxDecision.Refuse(ErrorCode.InvalidField, "an item stays in its list");
        WishlistJson.Replace(write.Document, await work.ChangeItemAsync(master, changed, cancellationToken));
        return RxDecision.Write;
    }

    private static async ValueTask<RxDecision> DecideMarkAsync(RxWrite write, CancellationToken cancellationToken)
    {
        var work = WorkOf(write);
        var wanted = write.As<MarkDocument>();
        // Also the only way to name somebody else's mark: nobody changes what another has promised.
        if (write.Id != MarkDocument.IdOf(wanted.ItemId, write.Caller.UserId))
            return RxDecision.Refuse(ErrorCode.Forbidden, "the mark of another user");
        if (write.Change == RxChange.Delete)
            return RxDecision.Write;
        var mark = await work.MarkAsync(wanted.ItemId, wanted.Quantity, write.Change == RxChange.Update ? wanted : null, cancellationToken);
        WishlistJson.Replace(write.Document, mark);
        return write.Change == RxChange.Insert ? RxDecision.Insert(MarksOf(mark.WishlistId))
            : write.Space == MarksOf(mark.WishlistId) ? RxDecision.Write
            : RxDecision.Refuse(ErrorCode.InvalidField, "a mark stays on its item");
    }

    private static WishlistWork WorkOf(RxWrite write) =>
        new(
            write.Unit,
            write.Records,
            write.Caller,
            write.Services.GetRequiredService<RxDocuments>(),
            write.Services.GetRequiredService<IOptions<WishlistOptions>>().Value
        );

    // In the form that the rules store, so that what they have trimmed or left out is no conflict later.
    private static void Trim(JsonObject fields, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (fields[name] is not JsonValue value || !value.TryGetValue<string>(out var text))
                continue;
            var trimmed = text.Trim();
            if (trimmed.Length == 0 && (name is "description" or "source_url"))
                fields.Remove(name);
            else if (trimmed != text)
                fields[name] = trimmed;
        }
    }
}
