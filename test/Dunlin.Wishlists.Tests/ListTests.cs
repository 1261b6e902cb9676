using System.Text.Json;
using Dunlin.Wishlists.Tests.Support;

namespace Dunlin.Wishlists.Tests;

/// <summary>Lists and items by REST, and permissions.</summary>
public sealed class ListTests
{
    [Fact]
    public async Task A_list_change_by_its_owner_reaches_the_replicas()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var created = await ann.SendAsync(
            "POST",
            "wishlists",
            new
            {
                name = " Birthday ",
                id = "b1",
                description = "",
            }
        );
        Assert.Equal((201, "Birthday", "ann"), (created.Status, created.Member("name"), created.Member("owner_id")));
        Assert.Equal(200, (await ann.SendAsync("POST", "wishlists", new { name = "Birthday", id = "b1" })).Status);
        var item = await ann.ItemAsync("b1", "Teapot", 2);
        Assert.Equal(["b1"], (await ann.PullAsync("wishlists")).Keys);
        Assert.Equal("Teapot", (await ann.PullAsync("items"))[item]!.Value.GetProperty("title").GetString());

        await ann.OkAsync("PATCH", "wishlists/b1", new { description = "In June" });
        await ann.OkAsync("PATCH", "items/" + item, new { quantity = 3 });
        var now = await ann.ItemNowAsync(item);
        Assert.Equal(("Teapot", 3), (now.GetProperty("title").GetString(), now.GetProperty("quantity").GetInt32()));

        Assert.Equal(204, (await ann.SendAsync("DELETE", "wishlists/b1")).Status);
        await ann.RefusedAsync(404, "not_found", "GET", "wishlists/b1");
        await ann.RefusedAsync(404, "not_found", "GET", "items/" + item);
        Assert.Empty(await ann.PullAsync("wishlists"));
        Assert.Empty(await ann.PullAsync("items"));
        Assert.Equal(0, (await ann.OkAsync("GET", "wishlists")).GetArrayLength());
        // The id stays reserved.
        await ann.RefusedAsync(409, "conflict", "POST", "wishlists", new { name = "Again", id = "b1" }, "id");
    }

    [Fact]
    public async Task A_change_with_an_outdated_version_is_refused()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list);
        foreach (var path in new[] { "wishlists/" + list, "items/" + item })
        {
            var tag = (await ann.SendAsync("GET", path)).Headers.ETag!.Tag;
            object change = path[0] == 'w' ? new { name = "One" } : new { title = "One" };
            var first = await ann.SendAsync("PATCH", path, change, ("If-Match", tag));
            Assert.Equal(200, first.Status);
            var late = await ann.SendAsync("PATCH", path, change, ("If-Match", tag));
            Assert.Equal((412, "version_mismatch"), (late.Status, late.Code));
            Assert.Equal(200, (await ann.SendAsync("PATCH", path, change, ("If-Match", first.Headers.ETag!.Tag))).Status);
            var now = (await ann.SendAsync("GET", path)).Headers.ETag!.Tag;
            Assert.Equal(200, (await ann.SendAsync("PATCH", path, change, ("If-Match", $"{tag}, W/{now}"))).Status);
            Assert.Equal(200, (await ann.SendAsync("PATCH", path, change, ("If-Match", "*"))).Status);
        }
    }

    [Fact]
    public async Task Ids_of_other_users_give_no_access_and_no_information()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var eve = host.Client("eve");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list);
        var share = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "mark" });
        (string Method, string Path, object? Body)[] all =
        [
            ("GET", $"wishlists/{list}", null),
            ("PATCH", $"wishlists/{list}", new { name = "x" }),
            ("DELETE", $"wishlists/{list}", null),
            ("GET", $"wishlists/{list}/items", null),
            ("POST", $"wishlists/{list}/items", new { title = "x" }),
            ("GET", $"wishlists/{list}/marks", null),
            ("GET", $"wishlists/{list}/shares", null),
            ("POST", $"wishlists/{list}/shares", new { role = "view" }),
            ("DELETE", $"wishlists/{list}/shares/{share.GetProperty("id").GetString()}", null),
            ("DELETE", $"wishlists/{list}/members/ann", null),
            ("GET", $"items/{item}", null),
            ("PATCH", $"items/{item}", new { title = "x" }),
            ("DELETE", $"items/{item}", null),
            ("POST", $"items/{item}/resolve", null),
            ("PUT", $"items/{item}/mark", new { quantity = 1 }),
            ("DELETE", $"items/{item}/mark", null),
        ];
        foreach (var (method, path, body) in all)
        {
            var foreign = await eve.SendAsync(method, path, body);
            var unknown = await eve.SendAsync(
                method,
                path.Replace(list, "nothing", StringComparison.Ordinal).Replace(item, "nothing", StringComparison.Ordinal),
                body
            );
            Assert.True(foreign.Status == 404, $"{method} {path}: {foreign.Status}");
            Assert.Equal(
                (unknown.Status, unknown.Member("detail"), unknown.Code),
                (foreign.Status, foreign.Member("detail"), foreign.Code)
            );
            using var nobody = host.Client(null);
            Assert.Equal(401, (await nobody.SendAsync(method, path, body)).Status);
        }
        // An id of another list's item is refused without revealing the item.
        var own = await eve.ListAsync();
        var taken = await eve.SendAsync("POST", $"wishlists/{own}/items", new { id = item, title = "mine" });
        Assert.Equal((409, "conflict"), (taken.Status, taken.Code));
        Assert.Equal("A thing", (await ann.ItemNowAsync(item)).GetProperty("title").GetString());
        foreach (var collection in new[] { "wishlists", "items", "marks" })
            Assert.DoesNotContain(list, JsonSerializer.Serialize(await eve.PullAsync(collection)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_read_and_only_the_owner_writes()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list);
        await bob.JoinAsync(await ann.ShareAsync(list, "mark"));
        Assert.Equal(list, (await bob.OkAsync("GET", "wishlists/shared"))[0].GetProperty("id").GetString());
        Assert.Equal(0, (await bob.OkAsync("GET", "wishlists")).GetArrayLength());
        Assert.Equal(1, (await bob.OkAsync("GET", $"wishlists/{list}/items")).GetArrayLength());
        (string Method, string Path, object? Body)[] owners =
        [
            ("PATCH", $"wishlists/{list}", new { name = "x" }),
            ("DELETE", $"wishlists/{list}", null),
            ("POST", $"wishlists/{list}/items", new { title = "x" }),
            ("GET", $"wishlists/{list}/shares", null),
            ("POST", $"wishlists/{list}/shares", new { role = "view" }),
            ("DELETE", $"wishlists/{list}/members/ann", null),
            ("PATCH", $"items/{item}", new { title = "x" }),
            ("DELETE", $"items/{item}", null),
            ("POST", $"items/{item}/resolve", null),
        ];
        foreach (var (method, path, body) in owners)
            await bob.RefusedAsync(403, "forbidden", method, path, body);
        Assert.Equal(
            "forbidden",
            (
                await bob.PushAsync(
                    "items",
                    new
                    {
                        id = "new",
                        wishlist_id = list,
                        title = "x",
                        quantity = 1,
                        _deleted = false,
                    }
                )
            ).Refused?.Split(';')[1]
        );
    }

    [Fact]
    public async Task Pushes_follow_the_rules_of_REST()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        Assert.Equal(
            (null, null),
            await ann.PushAsync(
                "wishlists",
                new
                {
                    id = "b1",
                    name = "Birthday",
                    _deleted = false,
                }
            )
        );
        Assert.Equal(
            (null, null),
            await ann.PushAsync(
                "items",
                new
                {
                    id = "i1",
                    wishlist_id = "b1",
                    title = " Teapot ",
                    quantity = 2,
                    status = "resolved",
                    price = 0.01,
                    _deleted = false,
                }
            )
        );
        var item = await ann.ItemNowAsync("i1");
        // Fields of the server in a client's document are ignored.
        Assert.Equal(
            ("Teapot", "manual", false),
            (item.GetProperty("title").GetString(), item.GetProperty("status").GetString(), item.TryGetProperty("price", out _))
        );
        (string Collection, object Document, string Code)[] bad =
        [
            (
                "wishlists",
                new
                {
                    id = "b2",
                    name = "",
                    _deleted = false,
                },
                "invalid_field"
            ),
            (
                "wishlists",
                new
                {
                    id = "b 2",
                    name = "x",
                    _deleted = false,
                },
                "invalid_field"
            ),
            ("wishlists", new { id = "b2", _deleted = false }, "invalid_field"),
            (
                "wishlists",
                new
                {
                    id = "b2",
                    name = 5,
                    _deleted = false,
                },
                "invalid_field"
            ),
            (
                "items",
                new
                {
                    id = "i2",
                    wishlist_id = "none",
                    title = "x",
                    quantity = 1,
                    _deleted = false,
                },
                "not_found"
            ),
            (
                "items",
                new
                {
                    id = "i2",
                    title = "x",
                    quantity = 1,
                    _deleted = false,
                },
                "invalid_field"
            ),
            (
                "items",
                new
                {
                    id = "i2",
                    wishlist_id = "b1",
                    title = "x",
                    quantity = 0,
                    _deleted = false,
                },
                "invalid_field"
            ),
            (
                "items",
                new
                {
                    id = "i2",
                    wishlist_id = "b1",
                    title = "x",
                    quantity = 1,
                    source_url = "javascript:1",
                    _deleted = false,
                },
                "invalid_field"
            ),
            (
                "items",
                new
                {
                    id = "i2",
                    wishlist_id = "b1",
                    title = new string('x', 301),
                    quantity = 1,
                    _deleted = false,
                },
                "invalid_field"
            ),
            (
                "marks",
                new
                {
                    id = "i1~ann",
                    item_id = "i1",
                    quantity = 1,
                    _deleted = false,
                },
                "forbidden"
            ),
        ];
        foreach (var (collection, document, code) in bad)
        {
            var (conflict, refused) = await ann.PushAsync(collection, document);
            Assert.True(
                conflict?.GetProperty("_deleted").GetBoolean() == true && refused?.Split(';')[1] == code,
                $"{JsonSerializer.Serialize(document)}: {refused}"
            );
        }
        var second = await ann.ListAsync();
        var (kept, moved) = await ann.PushAsync(
            "items",
            new
            {
                id = "i1",
                wishlist_id = second,
                title = "Teapot",
                quantity = 2,
                _deleted = false,
            },
            new
            {
                id = "i1",
                wishlist_id = "b1",
                title = "Teapot",
                quantity = 2,
                _deleted = false,
            }
        );
        Assert.Equal(("b1", "i1;invalid_field"), (kept?.GetProperty("wishlist_id").GetString(), moved));

        Assert.Equal(
            (null, null),
            await ann.PushAsync(
                "wishlists",
                new
                {
                    id = "b1",
                    name = "Birthday",
                    _deleted = true,
                },
                new
                {
                    id = "b1",
                    name = "Birthday",
                    _deleted = false,
                }
            )
        );
        Assert.Empty(await ann.PullAsync("items"));
    }

    [Fact]
    public async Task Normalised_fields_cause_no_conflict_at_the_next_edit()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var first = new
        {
            id = "b1",
            name = " Birthday ",
            description = " ",
            _deleted = false,
        };
        Assert.Equal((null, null), await ann.PushAsync("wishlists", first));
        Assert.Equal(
            (null, null),
            await ann.PushAsync(
                "wishlists",
                new
                {
                    id = "b1",
                    name = "Other",
                    description = "",
                    _deleted = false,
                },
                first
            )
        );
        var item = new
        {
            id = "i1",
            wishlist_id = "b1",
            title = " Teapot",
            description = "",
            source_url = "",
            quantity = 1,
            _deleted = false,
        };
        Assert.Equal((null, null), await ann.PushAsync("items", item));
        Assert.Equal(
            (null, null),
            await ann.PushAsync(
                "items",
                new
                {
                    id = "i1",
                    wishlist_id = "b1",
                    title = "Teapot",
                    description = "Red ",
                    source_url = "",
                    quantity = 2,
                    _deleted = false,
                },
                item
            )
        );
        Assert.Equal("Red", (await ann.ItemNowAsync("i1")).GetProperty("description").GetString());
    }

    [Fact]
    public async Task Changes_are_announced_by_type_to_all_who_see_them()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        await bob.JoinAsync(await ann.ShareAsync(list, "mark"));
        await using var anns = await host.OpenAsync("ann");
        await using var bobs = await host.OpenAsync("bob");
        var item = await ann.ItemAsync(list);
        foreach (var stream in new[] { anns, bobs })
        {
            // Hints of earlier changes may still arrive when the stream opens.
            var hint = await stream.UntilAsync("items:updated");
            Assert.Equal((item, list), (hint.Data.GetProperty("id").GetString(), hint.Data.GetProperty("wishlist_id").GetString()));
        }
        await ann.OkAsync("PATCH", "wishlists/" + list, new { name = "Other" });
        Assert.Equal(list, (await bobs.UntilAsync("wishlists:updated")).Data.GetProperty("id").GetString());
        await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 1 });
        Assert.Equal(item, (await bobs.UntilAsync("marks:updated")).Data.GetProperty("item_id").GetString());
        var status = await ann.OkAsync("GET", "events/status");
        Assert.Equal((true, 1), (status.GetProperty("connected").GetBoolean(), status.GetProperty("total_connections").GetInt32()));
    }
}
