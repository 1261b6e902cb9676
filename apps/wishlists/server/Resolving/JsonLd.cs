using System.Text.Json;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Products in JSON-LD, as schema.org has them and as shops write them: alone, in lists, in graphs, as variants.</summary>
internal static class JsonLd
{
    private const double Confidence = 0.95;
    private const int MaxDepth = 32;
    private const int MaxNodes = 2_000;

    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = MaxDepth, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    public static void Read(string json, FactBook facts)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Lenient);
            Walk(document.RootElement, facts);
        }
        catch (JsonException)
        {
            // Pages are full of it; the other sources remain.
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
                // Backwards, so that the first comes first off the stack: of equals the first is taken.
                foreach (var item in node.EnumerateArray().Reverse())
                    rest.Push(item);
                continue;
            }
            if (node.ValueKind != JsonValueKind.Object)
                continue;
            if (IsOf(node, "Product") || IsOf(node, "ProductGroup") || IsOf(node, "Book"))
                ReadProduct(node, facts);
            foreach (var name in (ReadOnlySpan<string>)["hasVariant", "itemListElement", "item", "mainEntityOfPage", "mainEntity", "@graph"])
            {
                if (node.TryGetProperty(name, out var inner))
                    rest.Push(inner);
            }
        }
    }

    private static void ReadProduct(JsonElement product, FactBook facts)
    {
        // A script has no entities, but shops write them all the same.
        facts.Title(System.Net.WebUtility.HtmlDecode(Text(product, "name")), FactSource.JsonLd, Confidence);
        facts.Image(product.TryGetProperty("image", out var image) ? ImageOf(image) : null, FactSource.JsonLd, Confidence);
        if (product.TryGetProperty("offers", out var offers))
            facts.Price(PriceOf(offers), FactSource.JsonLd, Confidence);
    }

    private static Money? PriceOf(JsonElement offers)
    {
        if (offers.ValueKind == JsonValueKind.Array)
            return offers.EnumerateArray().Take(50).Select(PriceOf).FirstOrDefault(price => price is { Amount: > 0 });
        if (offers.ValueKind != JsonValueKind.Object)
            return null;
        var currency = Text(offers, "priceCurrency");
        if (PriceText.Parse(Text(offers, "price") ?? Text(offers, "lowPrice"), currency, isForMachines: true) is { } price)
            return price;
        foreach (var name in (ReadOnlySpan<string>)["priceSpecification", "offers"])
        {
            if (offers.TryGetProperty(name, out var inner) && PriceOf(inner) is { } found)
                return found with { Currency = found.Currency ?? PriceText.Code(currency) };
        }
        return null;
    }

    private static string? ImageOf(JsonElement image) => image.ValueKind switch
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
        return value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Any(item => IsNamed(item, type))
            : IsNamed(value, type);
    }

    private static bool IsNamed(JsonElement value, string type) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } name && (name == type || name.EndsWith("schema.org/" + type, StringComparison.Ordinal));
}
