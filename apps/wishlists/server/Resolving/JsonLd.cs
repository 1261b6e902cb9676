using System.Text.Json;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads schema.org products in JSON-LD, in the variants that shops write: alone, in lists, in graphs, with variants.</summary>
internal static class JsonLd
{
    private const double Confidence = 0.95;
    private const int MaxNodes = 2_000;

    private static readonly string[] Types =
    [
        "Product",
        "ProductGroup",
        "ProductModel",
        "IndividualProduct",
        "SomeProducts",
        "Vehicle",
        "Car",
        "Book",
    ];

    // Names of schema.org's PriceTypeEnumeration for prices that the shop does not charge.
    private static readonly string[] ListPrices =
    [
        "ListPrice",
        "StrikethroughPrice",
        "SRP",
        "MSRP",
        "RegularPrice",
        "InvoicePrice",
        "MinimumAdvertisedPrice",
    ];

    public static void Read(string json, FactBook facts)
    {
        foreach (var document in JsonText.Read(json))
        {
            using (document)
                Walk(document.RootElement, facts);
        }
    }

    private static void Walk(JsonElement root, FactBook facts)
    {
        var rest = new Stack<JsonElement>([root]);
        for (var nodes = 0; rest.Count > 0 && nodes < MaxNodes; nodes++)
        {
            var node = rest.Pop();
            if (node.ValueKind == JsonValueKind.Array)
            {
                // Push in reverse, so that the first item is popped first. Of equal facts the first one wins.
                foreach (var item in node.EnumerateArray().Reverse())
                    rest.Push(item);
                continue;
            }
            if (node.ValueKind != JsonValueKind.Object)
                continue;
            if (Types.Any(type => IsOf(node, type)))
                ReadProduct(node, facts);
            foreach (
                var name in (ReadOnlySpan<string>)
                    ["hasVariant", "itemListElement", "item", "mainEntityOfPage", "mainEntity", "about", "@graph"]
            )
            {
                if (node.TryGetProperty(name, out var inner))
                    rest.Push(inner);
            }
        }
    }

    private static void ReadProduct(JsonElement product, FactBook facts)
    {
        // HTML entities are invalid in a script element, but shops write them.
        facts.Title(System.Net.WebUtility.HtmlDecode(Text(product, "name")), FactSource.JsonLd, Confidence);
        facts.Image(product.TryGetProperty("image", out var image) ? ImageOf(image) : null, FactSource.JsonLd, Confidence);
        if (product.TryGetProperty("offers", out var offers))
            facts.Price(PriceOf(offers), FactSource.JsonLd, Confidence);
    }

    private static Money? PriceOf(JsonElement offers)
    {
        if (offers.ValueKind == JsonValueKind.Array)
        {
            // A price per unit of measure counts only if there is no other.
            return offers.EnumerateArray().Take(50).OrderBy(IsForUnit).Select(PriceOf).FirstOrDefault(price => price is { Amount: > 0 });
        }
        if (offers.ValueKind != JsonValueKind.Object || ListPrices.Any(type => IsNamed(Text(offers, "priceType"), type)))
            return null;
        var currency = Text(offers, "priceCurrency");
        var amount = Text(offers, "price") ?? Text(offers, "lowPrice") ?? Text(offers, "minPrice");
        if (PriceText.Parse(amount, currency, isForMachines: true) is { Amount: > 0 } price)
            return price;
        foreach (var name in (ReadOnlySpan<string>)["priceSpecification", "offers"])
        {
            if (offers.TryGetProperty(name, out var inner) && PriceOf(inner) is { } found)
                return found with { Currency = found.Currency ?? PriceText.Code(currency) };
        }
        return null;
    }

    private static bool IsForUnit(JsonElement offer) =>
        offer.ValueKind == JsonValueKind.Object && offer.TryGetProperty("referenceQuantity", out _);

    private static string? ImageOf(JsonElement image) =>
        image.ValueKind switch
        {
            JsonValueKind.String => image.GetString(),
            JsonValueKind.Array => image.EnumerateArray().Take(20).Select(ImageOf).FirstOrDefault(found => found is not null),
            JsonValueKind.Object => Text(image, "url") ?? Text(image, "contentUrl") ?? Text(image, "@id"),
            _ => null,
        };

    private static string? Text(JsonElement node, string name)
    {
        if (!node.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0)
            value = value[0];
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("@value", out var inner))
            value = inner;
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
    }

    private static bool IsOf(JsonElement node, string type)
    {
        if (!node.TryGetProperty("@type", out var value))
            return false;
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Any(item => IsNamed(item, type)) : IsNamed(value, type);
    }

    private static bool IsNamed(JsonElement value, string type) =>
        value.ValueKind == JsonValueKind.String && IsNamed(value.GetString(), type);

    private static bool IsNamed(string? name, string type) =>
        name is not null && (name == type || name.EndsWith("schema.org/" + type, StringComparison.Ordinal) || name == "schema:" + type);
}
