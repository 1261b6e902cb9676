using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using Microsoft.Extensions.Options;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads the facts of a page. Runs no script and loads no resource. Thread-safe.</summary>
internal sealed class PageReader(IOptions<FetchOptions> options)
{
    public PageFacts Read(FetchedPage page)
    {
        using var document = PageTree.Parse(page.Html);
        var elements = PageTree.ElementsOf(document);
        var facts = new FactBook(BaseOf(page.Address, elements), options.Value);
        foreach (var (element, _, _) in elements)
        {
            if (element is IHtmlScriptElement && IsJsonLd(element.GetAttribute("type")))
                JsonLd.Read(PageTree.TextOf(element, int.MaxValue), facts);
        }
        Microdata.Read(elements, facts);
        MetaTags.Read(elements, facts);
        facts.Title(First(elements, static e => e.LocalName == "title" && e.NamespaceUri == NamespaceNames.HtmlUri), FactSource.Title, 0.5);
        facts.Title(First(elements, static e => e.LocalName == "h1"), FactSource.Heading, 0.4);
        return facts.Facts;
    }

    // Ignores parameters such as charset.
    private static bool IsJsonLd(string? type) => type is not null && ContentType.Parse(type).MediaType == "application/ld+json";

    private static string? First(List<PageElement> elements, Func<IElement, bool> isIt)
    {
        foreach (var (element, _, _) in elements)
        {
            if (isIt(element))
                return PageTree.TextOf(element);
        }
        return null;
    }

    private static Uri BaseOf(Uri address, List<PageElement> elements)
    {
        foreach (var (element, _, _) in elements)
        {
            if (element.LocalName == "base" && element.GetAttribute("href") is { } href)
                return Uri.TryCreate(address, href, out var uri) && (uri.Scheme is "http" or "https") ? uri : address;
        }
        return address;
    }
}
