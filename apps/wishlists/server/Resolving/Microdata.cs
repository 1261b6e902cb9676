using AngleSharp.Dom;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads products in microdata (HTML Living Standard, 5: <c>itemscope</c>).</summary>
internal static class Microdata
{
    private const double Confidence = 0.85;

    public static void Read(List<PageElement> elements, FactBook facts)
    {
        // Price and currency are two elements of one offer. The first value of each kind wins.
        var (amounts, currencies) = (new Dictionary<IElement, string>(), new Dictionary<IElement, string>());
        foreach (var (element, owner, isStruck) in elements)
        {
            if (isStruck || element.GetAttribute("itemprop") is not { Length: > 0 } names || owner is not { } scope)
                continue;
            foreach (var name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                switch (name)
                {
                    case "name" when IsOf(scope, "Product"):
                        facts.Title(ValueOf(element), FactSource.Microdata, Confidence);
                        break;
                    case "image" when IsOf(scope, "Product"):
                        facts.Image(ValueOf(element), FactSource.Microdata, Confidence);
                        break;
                    case "price" or "lowPrice" when IsOffer(scope):
                        amounts.TryAdd(scope, ValueOf(element));
                        break;
                    case "priceCurrency" when IsOffer(scope):
                        currencies.TryAdd(scope, ValueOf(element));
                        break;
                }
            }
        }
        foreach (var (scope, amount) in amounts)
            facts.Price(
                PriceText.Parse(amount, currencies.GetValueOrDefault(scope), isForMachines: true),
                FactSource.Microdata,
                Confidence
            );
    }

    private static bool IsOffer(IElement scope) => IsOf(scope, "Offer") || IsOf(scope, "AggregateOffer") || IsOf(scope, "Product");

    private static bool IsOf(IElement scope, string type) =>
        scope.GetAttribute("itemtype")?.Split(' ').Any(t => t.EndsWith("schema.org/" + type, StringComparison.Ordinal)) == true;

    private static string ValueOf(IElement element) =>
        element.GetAttribute("content")
        ?? (
            element.LocalName switch
            {
                "img" or "source" or "embed" => element.GetAttribute("src"),
                "a" or "link" or "area" => element.GetAttribute("href"),
                "data" or "meter" => element.GetAttribute("value"),
                _ => null,
            }
        )
        ?? PageTree.TextOf(element);
}
