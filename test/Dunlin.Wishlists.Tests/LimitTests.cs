using Dunlin.Apps.Wishlists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.TestKit;
using Dunlin.Wishlists.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Wishlists.Tests;

/// <summary>Limits of one user, by REST and by push.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Own_lists_are_limited_and_deletion_makes_room()
    {
        await using var host = await StartAsync(options => options.MaxLists = 2);
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var first = await ann.ListAsync();
        await ann.ListAsync();
        // A joined list does not count.
        await ann.JoinAsync(await bob.ShareAsync(await bob.ListAsync(), "view"));
        Limited(413, 2, await ann.SendAsync("POST", "wishlists", new { name = "x" }));
        Assert.Equal(
            "too_large",
            await RefusedAsync(
                ann,
                "wishlists",
                new
                {
                    id = "l3",
                    name = "x",
                    _deleted = false,
                }
            )
        );
        await ann.OkAsync("DELETE", "wishlists/" + first);
        await ann.ListAsync();
    }

    [Fact]
    public async Task New_lists_are_limited_per_day_despite_deletions()
    {
        await using var host = await StartAsync(options => options.NewListsPerDay = 4);
        using var ann = host.Client("ann");
        for (var i = 0; i < 4; i++)
            await ann.OkAsync("DELETE", "wishlists/" + await ann.ListAsync());
        Limited(429, 4, await ann.SendAsync("POST", "wishlists", new { name = "x" }));
        Assert.Equal(
            "too_many_requests",
            await RefusedAsync(
                ann,
                "wishlists",
                new
                {
                    id = "l3",
                    name = "x",
                    _deleted = false,
                }
            )
        );
        host.Time.Advance(TimeSpan.FromHours(6));
        await ann.ListAsync();
        Assert.Equal(429, (await ann.SendAsync("POST", "wishlists", new { name = "x" })).Status);
    }

    [Fact]
    public async Task Items_of_a_list_are_limited()
    {
        await using var host = await StartAsync(options => options.MaxItems = 2);
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        await ann.ItemAsync(list);
        var second = await ann.ItemAsync(list);
        Limited(413, 2, await ann.SendAsync("POST", $"wishlists/{list}/items", new { title = "x" }));
        var third = new
        {
            id = "i3",
            wishlist_id = list,
            title = "x",
            quantity = 1,
            _deleted = false,
        };
        Assert.Equal("too_large", await RefusedAsync(ann, "items", third));
        await ann.OkAsync("DELETE", "items/" + second);
        await ann.ItemAsync(list);
    }

    [Fact]
    public async Task Links_members_and_joined_lists_are_limited()
    {
        await using var host = await StartAsync(options => (options.MaxShares, options.MaxMembers, options.MaxJoinedLists) = (2, 2, 1));
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var cat = host.Client("cat");
        using var dan = host.Client("dan");
        var list = await ann.ListAsync();
        var token = await ann.ShareAsync(list, "mark");
        await ann.ShareAsync(list, "view");
        Limited(413, 2, await ann.SendAsync("POST", $"wishlists/{list}/shares", new { role = "view" }));
        await bob.JoinAsync(token);
        await cat.JoinAsync(token);
        Limited(413, 2, await dan.SendAsync("POST", $"share/{token}/join"));
        // Joining again adds no member.
        await cat.JoinAsync(token);
        var other = await dan.ShareAsync(await dan.ListAsync(), "view");
        Limited(413, 1, await bob.SendAsync("POST", $"share/{other}/join"));
        await bob.OkAsync("DELETE", $"wishlists/{list}/members/bob");
        await bob.JoinAsync(other);
    }

    private static async Task<string?> RefusedAsync(WishlistsClient client, string collection, object document) =>
        (await client.PushAsync(collection, document)).Refused?.Split(';')[1];

    private static Task<WishlistsHost> StartAsync(Action<WishlistOptions> configure) =>
        WishlistsHost.StartAsync(services => services.Configure(configure));

    private static void Limited(int status, int limit, TestAnswer answer)
    {
        Assert.Equal((status, limit), (answer.Status, answer.Body.GetProperty("limit").GetInt32()));
        Assert.Contains($"{limit} ", answer.Member("detail"), StringComparison.Ordinal);
    }
}
