using System.Text.Json;
using Dunlin.Wishlists.Tests.Support;

namespace Dunlin.Wishlists.Tests;

/// <summary>Price, picture, priority and order that the owner of a wish sets.</summary>
public sealed class OwnFieldTests
{
    private const string Page = """
        <html><head><title>Kettle</title><meta property="og:title" content="Kettle">
        <meta property="og:image" content="https://pictures.example/kettle.png">
        <meta property="product:price:amount" content="39.50"><meta property="product:price:currency" content="EUR"></head></html>
        """;

    [Fact]
    public async Task A_wish_without_a_page_has_price_picture_priority_and_order()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        var made = await ann.OkAsync(
            "POST",
            $"wishlists/{list}/items",
            new
            {
                title = "Kettle",
                price = 48.9,
                currency = "EUR",
                image_url = "https://example.com/a.png",
                priority = "high",
                order = "V",
            }
        );
        var id = made.GetProperty("id").GetString()!;
        Assert.Equal(("48.9 EUR https://example.com/a.png high V", "manual"), (Own(made), made.GetProperty("status").GetString()));
        var changed = await ann.OkAsync("PATCH", "items/" + id, new { price = 0, priority = "low" });
        Assert.Equal("0 EUR https://example.com/a.png low V", Own(changed));

        // By push; the price goes with its currency.
        var pulled = (await ann.PullAsync("items"))[id]!.Value;
        var cleared = new
        {
            id,
            wishlist_id = list,
            title = "Kettle",
            quantity = 1,
            price_edited = true,
            currency = "EUR",
            order = "k",
            _deleted = false,
        };
        Assert.Equal((null, null), await ann.PushAsync("items", cleared, pulled));
        Assert.Equal("- - - - k", Own(await ann.ItemNowAsync(id)));
        // A value that the client does not call its own is ignored, because pages give it.
        var (conflict, refused) = await ann.PushAsync(
            "items",
            new
            {
                id = "other",
                wishlist_id = list,
                title = "Tea",
                quantity = 1,
                price = 5,
                image_url = "http://localhost/a.png",
                _deleted = false,
            }
        );
        Assert.Equal((null, null), (conflict, refused));
        Assert.Equal("- - - - -", Own(await ann.ItemNowAsync("other")));
    }

    [Fact]
    public async Task The_page_does_not_replace_what_the_owner_has_set()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        host.Site.Html("/kettle", Page);
        host.Site.Html("/pot", Page.Replace("39.50", "12", StringComparison.Ordinal));
        var list = await ann.ListAsync();
        var id = await ann.PageItemAsync(list, host.Url("kettle"));
        await host.IdleAsync();
        Assert.Equal("39.5 EUR https://pictures.example/kettle.png - -", Own(await ann.ItemNowAsync(id)));
        await ann.OkAsync("PATCH", "items/" + id, new { price = 35, currency = "USD" });
        await ann.OkAsync("POST", $"items/{id}/resolve");
        await host.IdleAsync();
        Assert.Equal("35 USD https://pictures.example/kettle.png - -", Own(await ann.ItemNowAsync(id)));
        await ann.OkAsync("PATCH", "items/" + id, new { source_url = host.Url("pot"), image_url = "https://example.com/pot.png" });
        await host.IdleAsync();
        var pot = await ann.ItemNowAsync(id);
        Assert.Equal(
            ("35 USD https://example.com/pot.png - -", "resolved", true),
            (Own(pot), pot.GetProperty("status").GetString(), pot.GetProperty("image_edited").GetBoolean())
        );
    }

    [Fact]
    public async Task A_page_of_the_former_schema_keeps_fields_it_does_not_know()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        var list = await ann.ListAsync();
        await ann.OkAsync(
            "POST",
            $"wishlists/{list}/items",
            new
            {
                id = "i",
                title = "Kettle",
                price = 48.90m,
                priority = "high",
            }
        );
        var pulled = (await ann.OkAsync("GET", "sync/pull/items?limit=5&schema=0")).GetProperty("documents")[0];
        var text = pulled.GetRawText().Replace("\"Kettle\"", "\"Enamel kettle\"", StringComparison.Ordinal);
        var answer = await ann.SendAsync(
            "POST",
            "sync/push/items?schema=0",
            new[] { new { newDocumentState = JsonElement.Parse(text), assumedMasterState = pulled } }
        );
        Assert.Equal((200, 0), (answer.Status, answer.Body.GetArrayLength()));
        var item = await ann.ItemNowAsync("i");
        Assert.Equal(("Enamel kettle", "48.9 - - high -"), (item.GetProperty("title").GetString(), Own(item)));
    }

    private static string Own(JsonElement item) =>
        string.Join(' ', new[] { "price", "currency", "image_url", "priority", "order" }.Select(name => Text(item, name)));

    private static string Text(JsonElement item, string name) =>
        !item.TryGetProperty(name, out var value) ? "-"
        : value.ValueKind == JsonValueKind.Number ? value.GetDecimal().ToString("0.###", System.Globalization.CultureInfo.InvariantCulture)
        : value.GetString()!;
}
