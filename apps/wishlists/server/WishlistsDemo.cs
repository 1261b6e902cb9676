using Dunlin.Apps.Wishlists.Items;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Apps.Wishlists.Sharing;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb;
using Dunlin.Topics;

namespace Dunlin.Apps.Wishlists;

/// <summary>Demo lists.</summary>
public static class WishlistsDemo
{
    private const string ListId = "demo-birthday";

    /// <summary>Creates a list of alice that bob may mark and carol may view. Runs once, so that later changes of users stay.</summary>
    /// <param name="store">The store.</param>
    /// <param name="documents">The documents.</param>
    /// <param name="names">The users' names by id, including <c>alice</c>, <c>bob</c> and <c>carol</c>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task SeedAsync(
        IStore store,
        RxDocuments documents,
        IReadOnlyDictionary<string, string> names,
        CancellationToken cancellationToken = default
    )
    {
        var isNew = await store.WriteAsync(
            async (unit, ct) =>
            {
                var alice = new WishlistWork(unit, unit.Records(), new Caller("alice", names["alice"]), documents, new WishlistOptions());
                if ((await alice.Records.MembersAsync(WishlistSpaces.List(ListId), ct)).Count > 0)
                    return false;
                var list = await alice.BeginListAsync(
                    new WishlistDocument(ListId, "Birthday") { Description = "In June. Nothing that needs a plug, please." },
                    ct
                );
                foreach (var user in new[] { "bob", "carol" })
                {
                    await alice.Records.GrantAsync(WishlistSpaces.List(ListId), user, ct);
                    await alice.Records.GrantAsync(WishlistSpaces.MarksOf(ListId), user, ct);
                }
                await alice.PutAsync(
                    list with
                    {
                        Members = [new("bob", names["bob"], Shares.MarkRole), new("carol", names["carol"], Shares.ViewRole)],
                    },
                    ct
                );
                await alice.PutAsync(
                    Item("demo-teapot", "Cast iron teapot", 1, 48.90m) with
                    {
                        SourceUrl = "https://example.com/teapot",
                    },
                    ct
                );
                await alice.PutAsync(Item("demo-glasses", "Water glasses", 6, 4.50m), ct);
                await alice.PutAsync(Item("demo-book", "A bird guide", 1, null), ct);
                await alice.AnnounceAsync(ct);
                return true;

                ItemDocument Item(string id, string title, int quantity, decimal? price) =>
                    new(id, ListId, title)
                    {
                        Quantity = quantity,
                        Status = ItemStatus.Resolved,
                        TitleEdited = true,
                        Price = price,
                        Currency = price is null ? null : "EUR",
                        CreatedAt = unit.Now,
                        UpdatedAt = unit.Now,
                    };
            },
            cancellationToken
        );
        if (isNew)
        {
            await store.WriteAsync(
                async (unit, ct) =>
                {
                    var bob = new WishlistWork(unit, unit.Records(), new Caller("bob", names["bob"]), documents, new WishlistOptions());
                    await bob.PutAsync(await bob.MarkAsync("demo-glasses", 2, null, ct), ct);
                    await bob.AnnounceAsync(ct);
                },
                cancellationToken
            );
        }
    }
}
