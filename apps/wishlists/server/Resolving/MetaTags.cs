namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads meta elements: OpenGraph with its product namespace, and Twitter cards.</summary>
internal static class MetaTags
{
    public static void Read(List<PageElement> elements, FactBook facts)
    {
        var tags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (element, _, _) in elements)
        {
            if (element.LocalName != "meta" || element.GetAttribute("content") is not { } content)
                continue;
            // OpenGraph specifies "property", but many pages write "name".
            if ((element.GetAttribute("property") ?? element.GetAttribute("name")) is { Length: > 0 } name)
                tags.TryAdd(name.Trim(), content);
        }
        facts.Title(tags.GetValueOrDefault("og:title"), FactSource.OpenGraph, 0.75);
        facts.Title(tags.GetValueOrDefault("twitter:title"), FactSource.Meta, 0.6);
        foreach (var name in (ReadOnlySpan<string>)["og:image:secure_url", "og:image", "og:image:url"])
            facts.Image(tags.GetValueOrDefault(name), FactSource.OpenGraph, 0.8);
        facts.Image(tags.GetValueOrDefault("twitter:image"), FactSource.Meta, 0.6);
        // Of equal facts the first one wins, so read the sale price before the list price.
        foreach (var prefix in (ReadOnlySpan<string>)["product:sale_price", "product:price", "og:price"])
        {
            var price = PriceText.Parse(
                tags.GetValueOrDefault(prefix + ":amount"),
                tags.GetValueOrDefault(prefix + ":currency"),
                isForMachines: true
            );
            facts.Price(price, FactSource.OpenGraph, 0.8);
        }
        if (string.Equals(tags.GetValueOrDefault("twitter:label1"), "price", StringComparison.OrdinalIgnoreCase))
            facts.Price(PriceText.Parse(tags.GetValueOrDefault("twitter:data1"), null, isForMachines: false), FactSource.Meta, 0.6);
    }
}
