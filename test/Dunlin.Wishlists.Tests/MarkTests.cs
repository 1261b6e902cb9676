using Dunlin.Wishlists.Tests.Support;

namespace Dunlin.Wishlists.Tests;

/// <summary>Marks of the givers.</summary>
public sealed class MarkTests
{
    [Fact]
    public async Task Marks_do_not_exceed_the_wanted_quantity_and_the_rest_is_reported()
    {
        await using var host = await WishlistsHost.StartAsync();
        var (ann, bob, cat, item) = await SharedAsync(host, quantity: 5);
        Assert.Equal(3, (await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 3 })).GetProperty("quantity").GetInt32());
        var tooMuch = await cat.SendAsync("PUT", $"items/{item}/mark", new { quantity = 3 });
        Assert.Equal((409, "conflict", 2), (tooMuch.Status, tooMuch.Code, tooMuch.Body.GetProperty("available").GetInt32()));
        await cat.OkAsync("PUT", $"items/{item}/mark", new { quantity = 2 });
        // A second mark of the same user replaces the first.
        await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 1 });
        await cat.OkAsync("PUT", $"items/{item}/mark", new { quantity = 4 });
        Assert.Equal([(item + "~bob", 1), (item + "~cat", 4)], await MarksAsync(bob, item));
        Assert.Equal(204, (await cat.SendAsync("DELETE", $"items/{item}/mark")).Status);
        Assert.Equal([(item + "~bob", 1)], await MarksAsync(cat, item));
        Assert.Equal(5, (await ann.ItemNowAsync(item)).GetProperty("quantity").GetInt32());
    }

    [Fact]
    public async Task Concurrent_marks_share_the_wanted_quantity()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list, quantity: 7);
        var token = await ann.ShareAsync(list, "mark");
        var users = Enumerable.Range(0, 20).Select(i => host.Client($"user{i}")).ToList();
        foreach (var user in users)
            await user.JoinAsync(token);
        var answers = await Task.WhenAll(users.Select(user => user.SendAsync("PUT", $"items/{item}/mark", new { quantity = 1 })));
        Assert.Equal((7, 13), (answers.Count(a => a.Status == 200), answers.Count(a => a.Status == 409)));
    }

    [Fact]
    public async Task A_pushed_mark_follows_the_same_rules_or_is_reverted()
    {
        await using var host = await WishlistsHost.StartAsync();
        var (_, bob, cat, item) = await SharedAsync(host, quantity: 2);
        Assert.Equal((null, null), await bob.PushAsync("marks", Mark(item, "bob", 2)));
        var (back, refused) = await cat.PushAsync("marks", Mark(item, "cat", 1));
        Assert.Equal((true, "conflict"), (back?.GetProperty("_deleted").GetBoolean(), refused?.Split(';')[1]));
        var (kept, tooMany) = await bob.PushAsync("marks", Mark(item, "bob", 3), Mark(item, "bob", 2));
        Assert.Equal((2, "conflict"), (kept?.GetProperty("quantity").GetInt32(), tooMany?.Split(';')[1]));
        Assert.Equal((null, null), await bob.PushAsync("marks", Mark(item, "bob", 1), Mark(item, "bob", 2)));
        Assert.Equal((null, null), await cat.PushAsync("marks", Mark(item, "cat", 1)));
        // Nobody may create, change or delete another user's mark.
        Assert.Equal("forbidden", (await cat.PushAsync("marks", Mark(item, "dan", 1))).Refused?.Split(';')[1]);
        Assert.Equal("forbidden", (await cat.PushAsync("marks", Mark(item, "bob", 2), Mark(item, "bob", 1))).Refused?.Split(';')[1]);
        Assert.Equal("forbidden", (await cat.PushAsync("marks", Mark(item, "bob", 1, true), Mark(item, "bob", 1))).Refused?.Split(';')[1]);
        Assert.Equal([(item + "~bob", 1), (item + "~cat", 1)], await MarksAsync(bob, item));
        Assert.Equal((null, null), await cat.PushAsync("marks", Mark(item, "cat", 1, true), Mark(item, "cat", 1)));
        Assert.Equal((null, null), await cat.PushAsync("marks", Mark(item, "cat", 1), Mark(item, "cat", 1, true)));
        Assert.Equal("CAT", (await cat.PullAsync("marks"))[item + "~cat"]!.Value.GetProperty("user_name").GetString());
    }

    private static object Mark(string item, string user, int quantity, bool deleted = false) =>
        new
        {
            id = $"{item}~{user}",
            item_id = item,
            quantity,
            _deleted = deleted,
        };

    private static async Task<(WishlistsClient Ann, WishlistsClient Bob, WishlistsClient Cat, string Item)> SharedAsync(
        WishlistsHost host,
        int quantity
    )
    {
        var (ann, bob, cat) = (host.Client("ann"), host.Client("bob"), host.Client("cat"));
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list, quantity: quantity);
        var token = await ann.ShareAsync(list, "mark");
        await bob.JoinAsync(token);
        await cat.JoinAsync(token);
        return (ann, bob, cat, item);
    }

    private static async Task<IEnumerable<(string, int)>> MarksAsync(WishlistsClient client, string item)
    {
        var list = (await client.ItemNowAsync(item)).GetProperty("wishlist_id").GetString();
        var marks = await client.OkAsync("GET", $"wishlists/{list}/marks");
        return marks
            .EnumerateArray()
            .Select(m => (m.GetProperty("id").GetString()!, m.GetProperty("quantity").GetInt32()))
            .OrderBy(m => m.Item1, StringComparer.Ordinal);
    }
}
