using Dunlin.Wishlists.Tests.Support;

namespace Dunlin.Wishlists.Tests;

/// <summary>Invalid requests are refused with the field's name.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("POST", "wishlists", """{"name":""}""", "name")]
    [InlineData("POST", "wishlists", """{"name":"   "}""", "name")]
    [InlineData("POST", "wishlists", """{"name":5}""", "name")]
    [InlineData("POST", "wishlists", """{"name":null}""", "name")]
    [InlineData("POST", "wishlists", """{"name":"a\nb"}""", "name")]
    [InlineData("POST", "wishlists", """{"name":"x","id":"a/b"}""", "id")]
    [InlineData("POST", "wishlists", """{"name":"x","id":""}""", "id")]
    [InlineData("POST", "wishlists", """{"name":"x","owner_id":"eve"}""", "owner_id")]
    [InlineData("PATCH", "wishlists/{list}", """{"name":""}""", "name")]
    [InlineData("POST", "wishlists/{list}/items", "{}", "title")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","quantity":0}""", "quantity")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","quantity":1000}""", "quantity")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","quantity":1.5}""", "quantity")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","quantity":"2"}""", "quantity")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","price":-1}""", "price")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","price":1000000000}""", "price")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","price":1.0001}""", "price")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","price":1,"currency":"eur"}""", "currency")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","price":1,"currency":"EURO"}""", "currency")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","image_url":"http://example.com/a.png"}""", "image_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","image_url":"https://localhost/a.png"}""", "image_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","image_url":"https://192.168.1.1/a.png"}""", "image_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","image_url":"javascript:alert(1)"}""", "image_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","priority":"urgent"}""", "priority")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","order":""}""", "order")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","order":"V0"}""", "order")]
    [InlineData("PATCH", "items/{item}", """{"order":"a-b"}""", "order")]
    [InlineData("PATCH", "items/{item}", """{"price":-0.5}""", "price")]
    [InlineData("POST", "wishlists/{list}/items", """{"title":"x","status":"resolved"}""", "status")]
    [InlineData("POST", "wishlists/{list}/items", """{"source_url":"example.com"}""", "source_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"source_url":"ftp://example.com/"}""", "source_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"source_url":"javascript:alert(1)"}""", "source_url")]
    [InlineData("POST", "wishlists/{list}/items", """{"source_url":"http://u:p@example.com/"}""", "source_url")]
    [InlineData("PATCH", "items/{item}", """{"title":""}""", "title")]
    [InlineData("PATCH", "items/{item}", """{"source_url":"file:///etc/passwd"}""", "source_url")]
    [InlineData("PATCH", "items/{item}", """{"wishlist_id":"x"}""", "wishlist_id")]
    [InlineData("POST", "wishlists/{list}/shares", "{}", "role")]
    [InlineData("POST", "wishlists/{list}/shares", """{"role":"owner"}""", "role")]
    [InlineData("POST", "wishlists/{list}/shares", """{"role":"view","expires_at":"yesterday"}""", "expires_at")]
    [InlineData("POST", "wishlists/{list}/shares", """{"role":"view","expires_at":"2001-01-01T00:00:00Z"}""", "expires_at")]
    public async Task An_invalid_field_is_named(string method, string path, string body, string field)
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list);
        path = path.Replace("{list}", list, StringComparison.Ordinal).Replace("{item}", item, StringComparison.Ordinal);
        var answer = await ann.SendAsync(method, path, body);
        Assert.True((400, field) == (answer.Status, answer.Member("field")), $"{answer.Status} {answer.Body}");
        Assert.NotNull(answer.Member("hint"));
    }

    [Fact]
    public async Task Too_long_values_invalid_JSON_and_large_bodies_are_refused()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list, quantity: 3);
        await ann.RefusedAsync(400, "invalid_field", "POST", "wishlists", new { name = new string('x', 101) }, "name");
        await ann.RefusedAsync(
            400,
            "invalid_field",
            "POST",
            "wishlists",
            new { name = "x", description = new string('x', 2_001) },
            "description"
        );
        await ann.RefusedAsync(400, "invalid_field", "PATCH", "items/" + item, new { title = new string('x', 301) }, "title");
        await ann.RefusedAsync(
            400,
            "invalid_field",
            "PATCH",
            "items/" + item,
            new { source_url = "http://example.com/" + new string('x', 2_000) },
            "source_url"
        );
        await ann.RefusedAsync(400, "invalid_json", "POST", "wishlists", "{");
        await ann.RefusedAsync(400, "invalid_json", "POST", "wishlists", "null");
        await ann.RefusedAsync(413, "too_large", "POST", "wishlists", new { name = new string('x', 40_000) });
        await ann.RefusedAsync(400, "invalid_field", "GET", "items/a b");
        await ann.RefusedAsync(404, "not_found", "GET", "sync/pull/shares");
        await ann.RefusedAsync(409, "conflict", "POST", $"items/{item}/resolve");
        await bob.JoinAsync(await ann.ShareAsync(list, "mark"));
        foreach (var quantity in new object?[] { 0, -1, 1_000, 1.5, "1", null })
            await bob.RefusedAsync(400, "invalid_field", "PUT", $"items/{item}/mark", new { quantity }, "quantity");
        await bob.RefusedAsync(400, "unknown_field", "PUT", $"items/{item}/mark", new { quantity = 1, user_id = "ann" }, "user_id");
    }

    [Fact]
    public async Task Items_and_links_of_a_list_are_limited()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        var rows = Enumerable
            .Range(0, 501)
            .Select(i => new
            {
                newDocumentState = new
                {
                    id = $"i{i}",
                    wishlist_id = list,
                    title = "x",
                    quantity = 1,
                    _deleted = false,
                },
            });
        var answer = await ann.SendAsync("POST", "sync/push/items", rows);
        Assert.Equal((200, "i500"), (answer.Status, Assert.Single(answer.Body.EnumerateArray()).GetProperty("id").GetString()));
        Assert.Equal("too_large", answer.Headers.GetValues("Dunlin-Refused").Single().Split(';')[1]);
        await ann.RefusedAsync(413, "too_large", "POST", $"wishlists/{list}/items", new { title = "one more" });
        for (var i = 0; i < 50; i++)
            await ann.ShareAsync(list, "view");
        await ann.RefusedAsync(413, "too_large", "POST", $"wishlists/{list}/shares", new { role = "view" });
    }
}
