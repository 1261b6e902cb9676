using Dunlin.Apps.Wishlists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Wishlists.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Wishlists.Tests;

/// <summary>The effect of one user's pages on other users. Only the test advances time.</summary>
public sealed class ResolveFairnessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Two_hundred_items_on_silent_sites_do_not_delay_another_user()
    {
        await using var host = await StartAsync(options => options.PageBurst = 500);
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        host.Site.Silent("/silent");
        host.Site.Html("/", "<title>A bird guide</title>");
        await WishAsync(ann, 200, i => host.Url($"s{i}", "silent"));
        await ConnectionsAsync(host, 2);
        await ResolvesAsync(host, bob, host.Url("birds", ""), static () => { });
        Assert.Equal(3, host.Site.Connections);
    }

    [Fact]
    public async Task A_user_waits_at_most_one_time_limit_when_nine_others_hold_all_workers()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var bob = host.Client("bob");
        host.Site.Silent("/silent");
        host.Site.Html("/", "<title>A bird guide</title>");
        for (var n = 0; n < 9; n++)
        {
            using var user = host.Client($"user{n}");
            await WishAsync(user, 20, i => host.Url($"s{i}.u{n}", "silent"));
        }
        await ConnectionsAsync(host, 16);
        await ResolvesAsync(host, bob, host.Url("birds", ""), () => host.Time.Advance(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_silent_site_occupies_at_most_four_workers_for_all_users()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var bob = host.Client("bob");
        host.Site.Silent("/silent");
        host.Site.Html("/", "<title>A bird guide</title>");
        for (var n = 0; n < 8; n++)
        {
            using var user = host.Client($"user{n}");
            // Names of one host in every spelling.
            await WishAsync(
                user,
                3,
                i =>
                    host.Url(i == 0 ? "SILENT" : "silent", "silent")
                        .Replace(".example:", i == 2 ? ".example.:" : ".example:", StringComparison.Ordinal)
            );
        }
        await ConnectionsAsync(host, 4);
        await ResolvesAsync(host, bob, host.Url("birds", ""), static () => { });
        Assert.Equal(5, host.Site.Connections);
    }

    [Fact]
    public async Task Waiting_pages_are_limited_and_count_until_their_jobs_end()
    {
        await using var host = await StartAsync(options => options.MaxWaitingPages = 3);
        using var ann = host.Client("ann");
        host.Site.Silent("/silent");
        host.Site.Html("/", "<title>A bird guide</title>");
        var list = await ann.ListAsync();
        var items = new List<string>();
        for (var i = 0; i < 3; i++)
            items.Add(await ann.PageItemAsync(list, host.Url("silent", "silent")));
        await RefusedAsync();
        Assert.Equal("too_many_requests", (await ann.PushAsync("items", Row(list, host.Url("silent", "silent")))).Refused?.Split(';')[1]);
        // Changing the address of a waiting item uses no additional slot; deleting the item releases its slot.
        await ann.OkAsync("PATCH", "items/" + items[0], new { source_url = host.Url("other", "silent") });
        await RefusedAsync();
        await ann.OkAsync("DELETE", "items/" + items[0]);
        await ann.OkAsync("PATCH", "items/" + items[1], new { source_url = "" });
        items.Add(await ann.PageItemAsync(list, host.Url("birds", "")));
        items.Add(await ann.PageItemAsync(list, "http://10.0.0.1/"));
        // The workers of the two removed pages end at their time limit.
        host.Time.Advance(TimeSpan.FromSeconds(5));
        await UntilEndedAsync(ann, items[3]);
        await UntilEndedAsync(ann, items[4]);
        await ann.PageItemAsync(list, host.Url("silent", "silent"));
        await ann.PageItemAsync(list, host.Url("silent", "silent"));
        await RefusedAsync();

        async Task RefusedAsync()
        {
            var answer = await ann.SendAsync("POST", $"wishlists/{list}/items", new { source_url = host.Url("silent", "silent") });
            Assert.Equal((429, "too_many_requests", 3), (answer.Status, answer.Code, answer.Body.GetProperty("limit").GetInt32()));
            Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        }

        async Task UntilEndedAsync(WishlistsClient client, string id)
        {
            await using var stream = await host.OpenAsync(client.User);
            while (Text(await client.ItemNowAsync(id)) is "pending" or "resolving")
                await stream.UntilAsync("items:resolved").WaitAsync(Patience);
        }
    }

    [Fact]
    public async Task Repeated_reads_are_limited_per_minute()
    {
        await using var host = await StartAsync(options => options.RefreshesPerMinute = 4);
        using var ann = host.Client("ann");
        host.Site.Html("/", "<title>A bird guide</title>");
        var item = await ann.PageItemAsync(await ann.ListAsync(), host.Url("birds", ""));
        await host.IdleAsync();
        for (var i = 0; i < 4; i++)
        {
            await ann.OkAsync("POST", $"items/{item}/resolve");
            await host.IdleAsync();
        }
        var answer = await ann.SendAsync("POST", $"items/{item}/resolve");
        Assert.Equal((429, 4), (answer.Status, answer.Body.GetProperty("limit").GetInt32()));
        Assert.Equal(TimeSpan.FromSeconds(15), answer.Headers.RetryAfter?.Delta);
        await host.AdvanceAsync(TimeSpan.FromSeconds(15));
        await ann.OkAsync("POST", $"items/{item}/resolve");
    }

    private static Task<WishlistsHost> StartAsync(Action<WishlistOptions> configure) =>
        WishlistsHost.StartAsync(services => services.Configure(configure));

    private static object Row(string list, string url) =>
        new
        {
            id = Guid.NewGuid().ToString("N"),
            wishlist_id = list,
            title = "x",
            source_url = url,
            quantity = 1,
            _deleted = false,
        };

    private static string? Text(System.Text.Json.JsonElement item) => item.GetProperty("status").GetString();

    private static async Task WishAsync(WishlistsClient user, int count, Func<int, string> url)
    {
        var list = await user.ListAsync();
        var rows = Enumerable.Range(0, count).Select(i => new { newDocumentState = Row(list, url(i)) });
        Assert.Equal(0, (await user.OkAsync("POST", "sync/push/items", rows)).GetArrayLength());
    }

    // Waits until the site has this number of connections, so that all available workers are busy.
    private static async Task ConnectionsAsync(WishlistsHost host, int count)
    {
        for (var i = 0; i < count; i++)
            Assert.True(await host.Site.Connected.WaitAsync(Patience), $"connection {i + 1} of {count} did not come");
    }

    private static async Task ResolvesAsync(WishlistsHost host, WishlistsClient user, string url, Action move)
    {
        await using var stream = await host.OpenAsync(user.User);
        await user.PageItemAsync(await user.ListAsync(), url);
        move();
        var told = await stream.UntilAsync("items:resolved").WaitAsync(Patience);
        Assert.Equal("resolved", Text(told.Data));
    }
}
