using System.Diagnostics;
using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using AngleSharp.Html.Parser.Tokens.Struct;
using AngleSharp.Text;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>An element with inherited properties.</summary>
/// <param name="Element">The element.</param>
/// <param name="Scope">The microdata item that the element belongs to: its nearest ancestor with <c>itemscope</c>.</param>
/// <param name="IsStruck">Whether its text is crossed out, as former prices are.</param>
internal readonly record struct PageElement(IElement Element, IElement? Scope, bool IsStruck);

/// <summary>
/// Parses a page as browsers do, within limits. Threat: the parser's work per tag grows with the open elements and with the square of the
/// attributes, and one text can copy all open formatting elements. So half a megabyte of hostile tags could cost minutes and gigabytes.
/// Parsing stops after <see cref="MaxTags"/> tags, below <see cref="MaxDepth"/> elements, after <see cref="MaxBytes"/> of memory or after
/// <see cref="MaxTime"/>. Only the attributes that the readers use are kept.
/// </summary>
internal static partial class PageTree
{
    /// <summary>Maximum of tags, opening and closing. The rest is not read.</summary>
    public const int MaxTags = 20_000;

    /// <summary>Maximum nesting of elements, the limit of browsers.</summary>
    public const int MaxDepth = 512;

    /// <summary>Maximum memory that the parser allocates for one page. An ordinary page of half a megabyte needs a tenth.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>
    /// Maximum time for one page. Ordinary pages take a hundredth. It bounds the remaining quadratic work, searches among siblings.
    /// </summary>
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
        // The parser runs on this thread only, so its allocations can be measured.
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

    // The element already has its parent. The loop is bounded, because the first element that exceeds the depth stops the parser.
    private static bool IsDeep(IElement? element)
    {
        var depth = 0;
        for (INode? node = element; node is not null; node = node.Parent)
            depth++;
        return depth > MaxDepth;
    }

    /// <summary>Returns all elements in document order.</summary>
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

    /// <summary>Returns the text of an element without crossed-out parts.</summary>
    /// <param name="root">The element.</param>
    /// <param name="maxLength">Number of characters after which reading stops.</param>
    public static string TextOf(INode root, int maxLength = 2_000)
    {
        var text = new System.Text.StringBuilder();
        var path = new Stack<(INodeList Nodes, int Next)>([(root.ChildNodes, 0)]);
        // Uses indexes, because NextSibling searches all siblings. The number of nodes is limited, because this runs for each property of
        // an item.
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

    // Matches whole parts of class names in all notations: old-price, price--old, oldPrice, compare_at_price.
    [GeneratedRegex(
        @"(^|[\s_-])((old|was|original|previous|before|former)[_-]*price|price[_-]*(old|was|original|previous|before|former)"
            + @"|price[_-]*compare|compare[_-]*at([_-]*price)?|strike(d|through|thru|-through|-thru)?([_-]*price)?|(price[_-]*)?crossed([_-]*out)?|line-through"
            + @"|rrp|uvp|msrp|streichpreis)($|[\s_-])",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex FormerPrice();
}
