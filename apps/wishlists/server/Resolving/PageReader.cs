using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Microsoft.Extensions.Options;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads what a page says of the thing it shows. Nothing of the page is run or loaded. Safe for concurrent use.</summary>
internal sealed class PageReader(IOptions<FetchOptions> options)
{
    private const int MaxText = 2_000;

    public PageFacts Read(FetchedPage page)
    {
        using var document = new HtmlParser().ParseDocument(HtmlNesting.Cut(page.Html));
        var elements = Elements(document).ToList();
        var facts = new FactBook(BaseOf(page.Address, elements), options.Value);
        foreach (var script in elements.OfType<IHtmlScriptElement>())
        {
            if (string.Equals(script.GetAttribute("type")?.Trim(), "application/ld+json", StringComparison.OrdinalIgnoreCase))
                JsonLd.Read(TextOf(script, int.MaxValue), facts);
        }
        Microdata.Read(elements, facts);
        MetaTags.Read(elements, facts);
        facts.Title(elements.FirstOrDefault(e => e.LocalName == "title" && e.NamespaceUri == NamespaceNames.HtmlUri) is { } title ? TextOf(title) : null, FactSource.Title, 0.5);
        facts.Title(elements.FirstOrDefault(e => e.LocalName == "h1") is { } heading ? TextOf(heading) : null, FactSource.Heading, 0.4);
        return facts.Facts;
    }

    /// <summary>The text within an element. By hand, as everything here: the library's own walks call themselves for each level.</summary>
    internal static string TextOf(INode root, int maxLength = MaxText)
    {
        var text = new System.Text.StringBuilder();
        for (var node = root.FirstChild; node is not null && text.Length < maxLength; node = Next(node, root))
        {
            if (node is IText part)
                text.Append(part.Data);
        }
        return text.ToString();
    }

    private static IEnumerable<IElement> Elements(IDocument document)
    {
        for (INode? node = document.DocumentElement; node is not null; node = Next(node, document))
        {
            if (node is IElement element)
                yield return element;
        }
    }

    private static INode? Next(INode node, INode root)
    {
        if (node.FirstChild is { } child)
            return child;
        for (INode? up = node; up is not null && !ReferenceEquals(up, root); up = up.Parent)
        {
            if (up.NextSibling is { } next)
                return next;
        }
        return null;
    }

    private static Uri BaseOf(Uri address, List<IElement> elements) =>
        elements.FirstOrDefault(e => e.LocalName == "base" && e.HasAttribute("href")) is { } element
        && Uri.TryCreate(address, element.GetAttribute("href"), out var uri) && (uri.Scheme is "http" or "https") ? uri : address;
}
