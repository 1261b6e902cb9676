using System.Text.Json;
using Dunlin.Jobs;
using Dunlin.Wishlists.Tests.Support;

namespace Dunlin.Wishlists.Tests;

/// <summary>Items with an address, and their processing by the queue.</summary>
public sealed class ResolveTests
{
    [Fact]
    public async Task An_item_by_URL_is_pending_resolving_and_resolved_with_hints()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        await using var stream = await host.OpenAsync("ann");
        var go = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        host.Site.Page(
            "/teapot",
            async (page, ct) =>
            {
                asked.SetResult();
                await go.Task;
                var html = System.Text.Encoding.UTF8.GetBytes(TestSite.Resource("jsonld.html"));
                await page.WriteAsync(
                    System.Text.Encoding.ASCII.GetBytes(
                        $"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {html.Length}\r\n\r\n"
                    ),
                    ct
                );
                await page.WriteAsync(html, ct);
            }
        );
        var created = await ann.OkAsync("POST", $"wishlists/{list}/items", new { source_url = host.Url("teapot") });
        Assert.Equal(("pending", "127.0.0.1"), (Text(created, "status"), Text(created, "title")));
        var id = Text(created, "id")!;
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("resolving", Text(await ann.ItemNowAsync(id), "status"));
        await ann.RefusedAsync(409, "conflict", "POST", $"items/{id}/resolve");
        go.SetResult();
        var told = await stream.UntilAsync("items:resolved");
        Assert.Equal(
            (id, list, "resolved", "Cast iron teapot & lid, 1.2 l"),
            (Text(told.Data, "id"), Text(told.Data, "wishlist_id"), Text(told.Data, "status"), Text(told.Data, "title"))
        );
        var item = await ann.ItemNowAsync(id);
        Assert.Equal(
            (48.90m, "EUR", new Uri(host.Site.Address, "images/teapot.jpg").AbsoluteUri),
            (item.GetProperty("price").GetDecimal(), Text(item, "currency"), Text(item, "image_url"))
        );
        Assert.Equal(["items:updated", "items:updated", "items:updated", "items:resolved"], stream.Seen.Skip(1).Select(h => h.Type));
        var pulled = (await ann.PullAsync("items"))[id]!.Value;
        Assert.All(
            item.EnumerateObject(),
            field => Assert.True(JsonElement.DeepEquals(field.Value, pulled.GetProperty(field.Name)), field.Name)
        );
    }

    [Theory]
    [InlineData("Grandmother's teapot", "Grandmother's teapot")]
    [InlineData("127.0.0.1", "A bird guide")]
    public async Task A_title_set_by_a_user_stays(string given, string expected)
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        host.Site.Html("/", TestSite.Resource("plain.html"));
        // As the offline page does: the title is the host unless the user types another.
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
                    title = given,
                    source_url = host.Url(""),
                    quantity = 1,
                    _deleted = false,
                }
            )
        );
        await host.IdleAsync();
        Assert.Equal(("resolved", expected), (Text(await ann.ItemNowAsync("i1"), "status"), Text(await ann.ItemNowAsync("i1"), "title")));
    }

    [Fact]
    public async Task A_lone_surrogate_on_a_page_causes_no_failure()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        host.Site.Html(
            "/",
            """
            <script type="application/ld+json">{"@type":"Product","name":"Teapot \ud83d!","image":"/\udc00.png","offers":{"price":"5","priceCurrency":"EUR"}}</script>
            <meta property="twitter:title" content="&#xD83D; half">
            """
        );
        var id = await ann.PageItemAsync(await ann.ListAsync(), host.Url(""));
        await host.IdleAsync();
        var item = await ann.ItemNowAsync(id);
        Assert.Equal(
            ("resolved", "Teapot \uFFFD!", 5m),
            (Text(item, "status"), Text(item, "title"), item.GetProperty("price").GetDecimal())
        );
        Assert.Equal("Teapot \uFFFD!", Text((await ann.PullAsync("items"))[id]!.Value, "title"));
    }

    [Fact]
    public async Task A_title_edited_during_the_read_stays()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var (asked, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Site.Page(
            "/",
            async (page, ct) =>
            {
                asked.SetResult();
                await go.Task;
                await page.WriteAsync(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\n<title>new</title>"u8.ToArray(),
                    ct
                );
            }
        );
        var id = await ann.PageItemAsync(await ann.ListAsync(), host.Url(""));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await ann.OkAsync("PATCH", "items/" + id, new { title = "Mine" });
        go.SetResult();
        await host.IdleAsync();
        Assert.Equal(("resolved", "Mine"), (Text(await ann.ItemNowAsync(id), "status"), Text(await ann.ItemNowAsync(id), "title")));
    }

    [Theory]
    [InlineData("http://10.0.0.1/", "address_refused")]
    [InlineData("http://169.254.169.254/latest/meta-data/", "address_refused")]
    [InlineData("http://localhost:5080/", "address_refused")]
    [InlineData("{site}image", "not_a_page")]
    [InlineData("{site}gone", "refused")]
    [InlineData("{site}broken", "unreadable")]
    [InlineData("{site}loop", "too_many_redirects")]
    [InlineData("{site}empty", "nothing_found")]
    public async Task A_permanent_fault_fails_at_once_with_a_code_and_no_details(string url, string error)
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        host.Site.Bytes("/image", [1, 2, 3], "image/png");
        host.Site.Redirect("/loop", "/loop");
        host.Site.Bytes("/broken", "no brotli at all, whatever the header says"u8.ToArray(), "text/html", "Content-Encoding: br");
        host.Site.Html("/empty", "<p>secret</p>");
        await using var stream = await host.OpenAsync("ann");
        var id = await ann.PageItemAsync(
            await ann.ListAsync(),
            url.Replace("{site}", host.Site.Address.AbsoluteUri, StringComparison.Ordinal)
        );
        Assert.Equal("failed", Text((await stream.UntilAsync("items:resolved")).Data, "status"));
        var item = await ann.ItemNowAsync(id);
        Assert.Equal(("failed", error), (Text(item, "status"), Text(item, "error")));
        Assert.DoesNotContain("secret", item.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transient_fault_is_retried_and_then_fails_until_the_owner_retries()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        host.Site.Status("/", "503 Service Unavailable");
        var id = await ann.PageItemAsync(await ann.ListAsync(), host.Url(""));
        await host.IdleAsync();
        var waiting = await ann.ItemNowAsync(id);
        Assert.Equal(("pending", "site_failed"), (Text(waiting, "status"), Text(waiting, "error")));
        Assert.Single(host.Site.Requests);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(2, host.Site.Requests.Count);
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(5, host.Site.Requests.Count);
        Assert.Equal(("failed", "site_failed"), (Text(await ann.ItemNowAsync(id), "status"), Text(await ann.ItemNowAsync(id), "error")));
        host.Site.Html("/", TestSite.Resource("plain.html"));
        Assert.Equal("pending", Text(await ann.OkAsync("POST", $"items/{id}/resolve"), "status"));
        await host.IdleAsync();
        var item = await ann.ItemNowAsync(id);
        Assert.Equal(("resolved", null, "A bird guide"), (Text(item, "status"), Text(item, "error"), Text(item, "title")));
    }

    [Fact]
    public async Task An_endless_page_fails_at_its_time_limit()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var asked = new SemaphoreSlim(0);
        host.Site.Page(
            "/",
            async (page, ct) =>
            {
                asked.Release();
                Assert.Equal(0, await page.ReadAsync(new byte[1], ct));
            }
        );
        var id = await ann.PageItemAsync(await ann.ListAsync(), host.Url(""));
        Assert.True(await asked.WaitAsync(TimeSpan.FromSeconds(30)));
        host.Time.Advance(TimeSpan.FromSeconds(5));
        await host.IdleAsync();
        var job = await host.Store.ReadAsync((scope, ct) => scope.Jobs().FindAsync("wishlists.resolve", id, ct));
        Assert.Equal((JobState.Waiting, "too_slow"), (job!.State, job.Error));
    }

    [Fact]
    public async Task A_changed_address_is_read_and_old_facts_are_removed()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var (asked, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Site.Page(
            "/old",
            async (page, ct) =>
            {
                asked.SetResult();
                await go.Task;
                await page.WriteAsync(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\n<title>old</title>"u8.ToArray(),
                    ct
                );
            }
        );
        host.Site.Html("/new", "<title>new</title>");
        var id = await ann.PageItemAsync(await ann.ListAsync(), host.Url("old"));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await ann.OkAsync("PATCH", "items/" + id, new { source_url = host.Url("new") });
        go.SetResult();
        await host.IdleAsync();
        Assert.Equal(("resolved", "new"), (Text(await ann.ItemNowAsync(id), "status"), Text(await ann.ItemNowAsync(id), "title")));
        await ann.OkAsync("PATCH", "items/" + id, new { source_url = "" });
        var manual = await ann.ItemNowAsync(id);
        Assert.Equal(("manual", false), (Text(manual, "status"), manual.TryGetProperty("source_url", out _)));
    }

    [Fact]
    public async Task An_item_deleted_during_the_read_stays_deleted()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var (asked, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Site.Page(
            "/",
            async (page, ct) =>
            {
                asked.SetResult();
                await go.Task;
                await page.WriteAsync(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\n<title>old</title>"u8.ToArray(),
                    ct
                );
            }
        );
        var list = await ann.ListAsync();
        var id = await ann.PageItemAsync(list, host.Url(""));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await ann.OkAsync("DELETE", "wishlists/" + list);
        go.SetResult();
        await host.IdleAsync();
        await ann.RefusedAsync(404, "not_found", "GET", "items/" + id);
        Assert.Null(await host.Store.ReadAsync((scope, ct) => scope.Jobs().FindAsync("wishlists.resolve", id, ct)));
    }

    [Fact]
    public async Task Page_reads_of_one_user_are_rate_limited()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        host.Site.Html("/", "<title>x</title>");
        var list = await ann.ListAsync();
        for (var i = 0; i < 30; i++)
            await ann.PageItemAsync(list, host.Url(""));
        await host.IdleAsync();
        Assert.Equal(21, host.Site.Requests.Count);
        await bob.PageItemAsync(await bob.ListAsync(), host.Url(""));
        await host.IdleAsync();
        Assert.Equal(22, host.Site.Requests.Count);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(25, host.Site.Requests.Count);
        await host.AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(31, host.Site.Requests.Count);
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
