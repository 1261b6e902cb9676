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
        using var document = new HtmlParser().ParseDocument(HtmlBounds.Cut(page.Html));
        var elements = Within(document).OfType<IElement>().ToList();
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

    /// <summary>The text within an element.</summary>
    internal static string TextOf(INode root, int maxLength = MaxText)
    {
        var text = new System.Text.StringBuilder();
        foreach (var node in Within(root))
        {
            if (node is IText part)
                text.Append(part.Data);
            if (text.Length >= maxLength)
                break;
        }
        return text.ToString();
    }

    /// <summary>All nodes below one, in the order of the page. By hand and by index: the library's own walks call themselves for each
    /// level, and finding a node's next sibling costs it a search among all of them.</summary>
    private static IEnumerable<INode> Within(INode root)
    {
        var path = new Stack<(INodeList Nodes, int Next)>([(root.ChildNodes, 0)]);
        while (path.TryPop(out var level))
        {
            if (level.Next >= level.Nodes.Length)
                continue;
            path.Push((level.Nodes, level.Next + 1));
            var node = level.Nodes[level.Next];
            yield return node;
            path.Push((node.ChildNodes, 0));
        }
    }

    private static Uri BaseOf(Uri address, List<IElement> elements) =>
        elements.FirstOrDefault(e => e.LocalName == "base" && e.HasAttribute("href")) is { } element
        && Uri.TryCreate(address, element.GetAttribute("href"), out var uri) && (uri.Scheme is "http" or "https") ? uri : address;
}
