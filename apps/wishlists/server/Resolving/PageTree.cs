using System.Diagnostics;
using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using AngleSharp.Html.Parser.Tokens.Struct;
using AngleSharp.Text;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>An element and what it inherits.</summary>
/// <param name="Element">The element.</param>
/// <param name="Scope">The microdata item that the element is a property of: its nearest ancestor with <c>itemscope</c>.</param>
/// <param name="IsStruck">Whether its text is crossed out, as former prices are.</param>
internal readonly record struct PageElement(IElement Element, IElement? Scope, bool IsStruck);

/// <summary>
/// The tree of a page, parsed as browsers do, with bounds. A parser's work for one tag grows with the open elements and with the square of
/// the attributes, and one text can copy all formatting elements that are open: half a megabyte of the wrong tags would cost minutes and
/// gigabytes. So reading stops after <see cref="MaxTags"/> tags, below <see cref="MaxDepth"/> elements, after <see cref="MaxBytes"/> of
/// memory or after <see cref="MaxTime"/>, and only the attributes that are read here are kept.
/// </summary>
internal static partial class PageTree
{
    /// <summary>Tags of a page, opening and closing; what comes after them is not read.</summary>
    public const int MaxTags = 20_000;

    /// <summary>Elements within each other. Browsers nest to 512 too.</summary>
    public const int MaxDepth = 512;

    /// <summary>Memory that the parser allocates for one page; ordinary pages of half a megabyte need a tenth.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Time for one page; ordinary pages take a hundredth. What remains quadratic is searches among siblings.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(3);

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Attributes = new HashSet<string>(
        ["property", "name", "content", "itemprop", "itemscope", "itemtype", "type", "href", "src", "value", "class", "style"],
        StringComparer.OrdinalIgnoreCase
    ).GetAlternateLookup<ReadOnlySpan<char>>();

    public static IDocument Parse(string html)
    {
        IElement? last = null;
        var parser = new HtmlParser(
            new HtmlParserOptions
            {
                SkipComments = true,
                DisableElementPositionTracking = true,
                OnCreated = (element, _) => last = element,
                ShouldEmitAttribute = static (ref StructHtmlToken _, ReadOnlyMemory<char> name) => Attributes.Contains(name.Span),
            }
        );
        var tags = 0;
        // The parser works on this thread alone.
        var begun = Stopwatch.GetTimestamp();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        return parser.ParseDocument<Document, Element>(
            new TextSource(html),
            (ref StructHtmlToken token, TokenConsumer next) =>
            {
                if (token.IsTag && (++tags > MaxTags || IsDeep(last)))
                    return TokenConsumptionResult.Stop;
                if (GC.GetAllocatedBytesForCurrentThread() - allocated > MaxBytes || Stopwatch.GetElapsedTime(begun) > MaxTime)
                    return TokenConsumptionResult.Stop;
                next(ref token);
                return TokenConsumptionResult.Continue;
            }
        );
    }

    // By now the element has its parent. Bounded itself: nothing is deeper than the first that stops the parser.
    private static bool IsDeep(IElement? element)
    {
        var depth = 0;
        for (INode? node = element; node is not null; node = node.Parent)
            depth++;
        return depth > MaxDepth;
    }

    /// <summary>All elements, in the order of the page.</summary>
    public static List<PageElement> ElementsOf(INode root)
    {
        var elements = new List<PageElement>();
        var path = new Stack<(INodeList Nodes, int Next, IElement? Scope, bool IsStruck)>([(root.ChildNodes, 0, null, false)]);
        while (path.TryPop(out var level))
        {
            if (level.Next >= level.Nodes.Length)
                continue;
            path.Push(level with { Next = level.Next + 1 });
            if (level.Nodes[level.Next] is not IElement element)
                continue;
            var isStruck = level.IsStruck || IsStruck(element);
            elements.Add(new PageElement(element, level.Scope, isStruck));
            path.Push((element.ChildNodes, 0, element.HasAttribute("itemscope") ? element : level.Scope, isStruck));
        }
        return elements;
    }

    /// <summary>The text within an element, without what is crossed out.</summary>
    /// <param name="root">The element.</param>
    /// <param name="maxLength">Characters after which reading ends.</param>
    public static string TextOf(INode root, int maxLength = 2_000)
    {
        var text = new System.Text.StringBuilder();
        var path = new Stack<(INodeList Nodes, int Next)>([(root.ChildNodes, 0)]);
        // By index, since finding a node's next sibling costs a search among all of them. Bounded: this runs for each property of an item.
        for (var nodes = 0; nodes < MaxTextNodes && text.Length < maxLength && path.TryPop(out var level); nodes++)
        {
            if (level.Next >= level.Nodes.Length)
                continue;
            path.Push((level.Nodes, level.Next + 1));
            var node = level.Nodes[level.Next];
            if (node is IText part)
                text.Append(part.Data);
            else if (node is not IElement element || !IsStruck(element))
                path.Push((node.ChildNodes, 0));
        }
        return text.ToString();
    }

    private const int MaxTextNodes = 4_000;

    private static bool IsStruck(IElement element) =>
        element.LocalName is "s" or "del" or "strike"
        || (element.GetAttribute("style") is { } style && style.Contains("line-through", StringComparison.OrdinalIgnoreCase))
        || (element.GetAttribute("class") is { Length: <= 500 } names && FormerPrice().IsMatch(names));

    // Whole parts of class names, in all the ways of joining them: old-price, price--old, oldPrice, compare_at_price.
    [GeneratedRegex(
        @"(^|[\s_-])((old|was|original|previous|before|former)[_-]*price|price[_-]*(old|was|original|previous|before|former)"
            + @"|price[_-]*compare|compare[_-]*at([_-]*price)?|strike(d|through|thru|-through|-thru)?([_-]*price)?|(price[_-]*)?crossed([_-]*out)?|line-through"
            + @"|rrp|uvp|msrp|streichpreis)($|[\s_-])",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex FormerPrice();
}
