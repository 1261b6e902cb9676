using System.Text.Json;
using Dunlin.Apps.Wishlists;
using Dunlin.Wishlists.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Wishlists.Tests;

/// <summary>Share links: their rights, users and validity time.</summary>
public sealed class ShareTests
{
    [Fact]
    public async Task A_link_previews_a_list_without_a_sign_in()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var nobody = host.Client(null);
        var list = await ann.ListAsync("Birthday");
        await ann.OkAsync("PATCH", "wishlists/" + list, new { description = "secret words" });
        await ann.ItemAsync(list, "secret wish");
        var token = await ann.ShareAsync(list, "mark");
        await bob.JoinAsync(token);
        var preview = await nobody.SendAsync("GET", "share/" + token);
        Assert.Equal(200, preview.Status);
        Assert.Equal(["name", "owner_name", "role", "expires_at"], preview.Body.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("Birthday", "ANN", "mark"), (preview.Member("name"), preview.Member("owner_name"), preview.Member("role")));
        Assert.Equal(
            ("no-store", "no-referrer"),
            (preview.Headers.CacheControl!.ToString(), preview.Headers.GetValues("Referrer-Policy").Single())
        );
        foreach (var secret in new[] { "secret", list, "bob" })
            Assert.DoesNotContain(secret, preview.Body.GetRawText(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(401, (await nobody.SendAsync("POST", $"share/{token}/join")).Status);
    }

    [Fact]
    public async Task Joining_gives_the_role_of_the_link_and_the_whole_list()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list);
        await using var bobs = await host.OpenAsync("bob");
        var view = await ann.ShareAsync(list, "view");
        Assert.Equal("view", (await bob.JoinAsync(view)).GetProperty("role").GetString());
        await bobs.UntilAsync("sync:access");
        Assert.Equal([item], (await bob.PullAsync("items")).Keys);
        await bob.RefusedAsync(403, "forbidden", "PUT", $"items/{item}/mark", new { quantity = 1 });
        Assert.Equal(
            "forbidden",
            (
                await bob.PushAsync(
                    "marks",
                    new
                    {
                        id = item + "~bob",
                        item_id = item,
                        quantity = 1,
                        _deleted = false,
                    }
                )
            ).Refused?.Split(';')[1]
        );
        Assert.Equal(0, (await bob.OkAsync("GET", $"wishlists/{list}/marks")).GetArrayLength());
        // Of two links the one with more rights wins, in either order.
        Assert.Equal("mark", (await bob.JoinAsync(await ann.ShareAsync(list, "mark"))).GetProperty("role").GetString());
        Assert.Equal("mark", (await bob.JoinAsync(view)).GetProperty("role").GetString());
        await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 1 });
        var member = Assert.Single((await ann.OkAsync("GET", "wishlists/" + list)).GetProperty("members").EnumerateArray());
        Assert.Equal(("bob", "mark"), (member.GetProperty("user_id").GetString(), member.GetProperty("role").GetString()));
        // The owner stays the owner.
        Assert.Equal("owner", (await ann.JoinAsync(view)).GetProperty("role").GetString());
        await ann.RefusedAsync(403, "forbidden", "GET", $"wishlists/{list}/marks");
    }

    [Fact]
    public async Task A_link_ends_at_its_expiry_its_revocation_and_with_its_list()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var nobody = host.Client(null);
        var list = await ann.ListAsync();
        var soon = await ann.ShareAsync(list, "mark", host.Time.GetUtcNow().AddSeconds(10));
        var second = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "mark" });
        var third = await ann.ShareAsync(list, "view");
        var listed = await ann.OkAsync("GET", $"wishlists/{list}/shares");
        Assert.Equal(3, listed.GetArrayLength());
        foreach (var token in new[] { soon, second.GetProperty("token").GetString()!, third })
            Assert.DoesNotContain(token, listed.GetRawText(), StringComparison.Ordinal);
        host.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(200, (await nobody.SendAsync("GET", "share/" + soon)).Status);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await GoneAsync(soon);

        var revoked = second.GetProperty("token").GetString()!;
        await bob.JoinAsync(revoked);
        Assert.Equal(204, (await ann.SendAsync("DELETE", $"wishlists/{list}/shares/{second.GetProperty("id").GetString()}")).Status);
        await ann.RefusedAsync(404, "not_found", "DELETE", $"wishlists/{list}/shares/{second.GetProperty("id").GetString()}");
        await GoneAsync(revoked);
        // Members stay until they are removed.
        Assert.Equal(1, (await bob.OkAsync("GET", "wishlists/shared")).GetArrayLength());
        await ann.OkAsync("DELETE", "wishlists/" + list);
        await GoneAsync(third);

        async Task GoneAsync(string token)
        {
            await nobody.RefusedAsync(404, "not_found", "GET", "share/" + token);
            await bob.RefusedAsync(404, "not_found", "POST", $"share/{token}/join");
        }
    }

    [Fact]
    public async Task A_link_can_be_read_again_by_its_owner_only()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        var share = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "mark" });
        var path = $"wishlists/{list}/shares/{share.GetProperty("id").GetString()}";
        var link = await ann.SendAsync("GET", path + "/link");
        Assert.Equal(share.GetProperty("path").GetString(), link.Member("path"));
        Assert.Equal("no-store", link.Headers.CacheControl!.ToString());
        await bob.RefusedAsync(404, "not_found", "GET", path + "/link");
        await bob.JoinAsync(link.Member("token")!);
        await bob.RefusedAsync(403, "forbidden", "GET", path + "/link");
        await ann.OkAsync("DELETE", path);
        await ann.RefusedAsync(404, "not_found", "GET", path + "/link");
        await ann.OkAsync("POST", path + "/restore");
        Assert.Equal(link.Member("token"), (await ann.OkAsync("GET", path + "/link")).GetProperty("token").GetString());
    }

    [Fact]
    public async Task A_link_shows_the_wishes_if_the_owner_wants_it_and_never_marks()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var nobody = host.Client(null);
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list, "Kite", quantity: 3);
        var share = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "mark", shows_wishes = true });
        Assert.True(share.GetProperty("shows_wishes").GetBoolean());
        var token = share.GetProperty("token").GetString()!;
        await bob.JoinAsync(token);
        var before = await nobody.OkAsync("GET", "share/" + token);
        await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 2 });
        var after = await nobody.OkAsync("GET", "share/" + token);
        var wish = Assert.Single(after.GetProperty("wishes").EnumerateArray());
        Assert.Equal(("Kite", 3), (wish.GetProperty("title").GetString(), wish.GetProperty("quantity").GetInt32()));
        // The owner may open the link too: a mark must not change a byte of the answer.
        Assert.Equal(before.GetRawText(), after.GetRawText());
        await ann.OkAsync("DELETE", "items/" + item);
        Assert.Equal(0, (await nobody.OkAsync("GET", "share/" + token)).GetProperty("wishes").GetArrayLength());
    }

    [Fact]
    public async Task A_revoked_link_can_be_restored_for_ten_minutes()
    {
        await using var host = await WishlistsHost.StartAsync(services =>
            services.Configure<WishlistOptions>(options => options.MaxShares = 1)
        );
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var nobody = host.Client(null);
        var list = await ann.ListAsync();
        var share = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "mark" });
        var (token, path) = (share.GetProperty("token").GetString(), $"wishlists/{list}/shares/{share.GetProperty("id").GetString()}");
        await ann.OkAsync("DELETE", path);
        await nobody.RefusedAsync(404, "not_found", "GET", "share/" + token);
        Assert.Equal(0, (await ann.OkAsync("GET", $"wishlists/{list}/shares")).GetArrayLength());
        await bob.RefusedAsync(404, "not_found", "POST", path + "/restore");

        host.Time.Advance(TimeSpan.FromMinutes(10));
        await ann.OkAsync("POST", path + "/restore");
        Assert.Equal("Birthday", (await nobody.OkAsync("GET", "share/" + token)).GetProperty("name").GetString());
        // Repeating it changes nothing.
        await ann.OkAsync("POST", path + "/restore");
        Assert.Equal(1, (await ann.OkAsync("GET", $"wishlists/{list}/shares")).GetArrayLength());

        await ann.OkAsync("DELETE", path);
        host.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        await ann.RefusedAsync(404, "not_found", "POST", path + "/restore");
        var second = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "view" });
        await ann.OkAsync("DELETE", $"wishlists/{list}/shares/{second.GetProperty("id").GetString()}");
        await ann.ShareAsync(list, "view");
        // Another link has taken the place.
        await ann.RefusedAsync(413, "too_large", "POST", $"wishlists/{list}/shares/{second.GetProperty("id").GetString()}/restore");
        await ann.OkAsync("DELETE", "wishlists/" + list);
        await ann.RefusedAsync(404, "not_found", "POST", path + "/restore");
    }

    [Fact]
    public async Task A_token_cannot_be_guessed_or_replaced()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var eve = host.Client("eve");
        var list = await ann.ListAsync();
        var share = await ann.OkAsync("POST", $"wishlists/{list}/shares", new { role = "mark" });
        var token = share.GetProperty("token").GetString()!;
        Assert.Equal(43, token.Length);
        var other = token[0] == 'A' ? 'B' : 'A';
        string[] guesses =
        [
            list,
            share.GetProperty("id").GetString()!,
            token[..42],
            token + "A",
            other + token[1..],
            token.ToUpperInvariant() + "",
            new string('A', 43),
            "%00",
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token))),
            "..",
            new string('x', 5_000),
        ];
        var answers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var guess in guesses)
        {
            var answer = await eve.SendAsync("POST", $"share/{guess}/join");
            Assert.True(answer.Status is 404 or 400 or 405, $"{guess}: {answer.Status}");
            if (answer.Status == 404 && answer.Body.ValueKind == JsonValueKind.Object)
                answers.Add(answer.Member("detail") + answer.Code);
        }
        Assert.Contains("The link is unknown, expired or revoked. Ask the owner of the list for a new one.not_found", answers);
        Assert.Empty(await eve.PullAsync("wishlists"));
        Assert.NotEqual(token, await ann.ShareAsync(list, "mark"));
    }

    [Fact]
    public async Task A_removed_member_loses_the_list_and_its_marks_are_freed()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var cat = host.Client("cat");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list, quantity: 1);
        var token = await ann.ShareAsync(list, "mark");
        await bob.JoinAsync(token);
        await cat.JoinAsync(token);
        var checkpoint = (await bob.OkAsync("GET", "sync/pull/items?limit=10"))
            .GetProperty("checkpoint")
            .GetProperty("position")
            .GetString();
        await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 1 });
        await cat.RefusedAsync(409, "conflict", "PUT", $"items/{item}/mark", new { quantity = 1 }, "quantity");
        await cat.RefusedAsync(403, "forbidden", "DELETE", $"wishlists/{list}/members/bob");
        Assert.Equal(204, (await ann.SendAsync("DELETE", $"wishlists/{list}/members/bob")).Status);
        await cat.OkAsync("PUT", $"items/{item}/mark", new { quantity = 1 });
        await bob.RefusedAsync(404, "not_found", "GET", "wishlists/" + list);
        await bob.RefusedAsync(404, "not_found", "PUT", $"items/{item}/mark", new { quantity = 1 });
        // It disappears from the device, and the device's echo of the removal deletes nothing.
        var gone = Assert.Single(
            (await bob.OkAsync("GET", $"sync/pull/items?limit=10&position={checkpoint}")).GetProperty("documents").EnumerateArray()
        );
        Assert.Equal((item, true), (gone.GetProperty("id").GetString(), gone.GetProperty("_deleted").GetBoolean()));
        await bob.PushAsync(
            "items",
            new
            {
                id = item,
                wishlist_id = list,
                title = "A thing",
                quantity = 1,
                _deleted = true,
            }
        );
        await ann.ItemNowAsync(item);
        Assert.Equal(204, (await cat.SendAsync("DELETE", $"wishlists/{list}/members/cat")).Status);
        Assert.Empty((await ann.OkAsync("GET", "wishlists/" + list)).GetProperty("members").EnumerateArray());
    }
}
