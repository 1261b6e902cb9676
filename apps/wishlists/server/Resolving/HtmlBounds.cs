namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Bounds what a page can cost before it is parsed: an HTML parser's work for each element grows with the depth, with its
/// siblings and with the square of its attributes, so half a megabyte of the wrong tags would keep it busy for minutes. This
/// counts tags without parsing, only to be certain that what passes is small: the page is cut where it is not. Browsers
/// themselves nest to 512.
/// </summary>
internal static class HtmlBounds
{
    public const int MaxDepth = 512;
    public const int MaxElements = 20_000;
    public const int MaxAttributes = 300;

    /// <summary>Beginnings of tags in an element that has no children, such as a style: each costs what stands before it. Scripts
    /// are read otherwise, and have as many as they like.</summary>
    public const int MaxTextTags = 500;

    // Their end tags may be left out, or they have none: they do not nest in themselves.
    private static readonly HashSet<string> Flat = new(
        "area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup tr td th thead tbody tfoot rt rp html head body".Split(' '),
        StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Raw = new(["script", "style", "textarea", "title", "iframe", "xmp", "noembed", "noframes"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The page up to where it would be too much.</summary>
    public static string Cut(string html)
    {
        var (depth, elements) = (0, 0);
        for (var i = html.IndexOf('<', StringComparison.Ordinal); i >= 0 && i + 1 < html.Length;)
        {
            // What is no tag costs as well, where it stands in text.
            if (++elements > MaxElements)
                return html[..i];
            var closes = html[i + 1] == '/';
            var start = closes ? i + 2 : i + 1;
            if (start >= html.Length || !char.IsAsciiLetter(html[start]))
            {
                i = html.IndexOf('<', i + 1);
                continue;
            }
            var nameEnd = EndOfName(html, start);
            var name = html[start..nameEnd];
            if (EndOfTag(html, nameEnd) is not { } end)
                return html[..i];
            if (closes)
                depth = Math.Max(0, depth - (Flat.Contains(name) ? 0 : 1));
            else if (Raw.Contains(name))
            {
                if (EndOfRaw(html, end, name) is not { } rawEnd)
                    return html[..i];
                end = rawEnd;
            }
            else if (!Flat.Contains(name) && ++depth > MaxDepth)
                return html[..i];
            i = end >= html.Length ? -1 : html.IndexOf('<', end);
        }
        return html;
    }

    private static int EndOfName(string html, int from)
    {
        var end = from;
        while (end < html.Length && end - from < 32 && (char.IsAsciiLetterOrDigit(html[end]) || html[end] == '-'))
            end++;
        return end;
    }

    /// <summary>The place after the tag; null where it does not end, or has too many attributes.</summary>
    private static int? EndOfTag(string html, int from)
    {
        var (attributes, quote, isBetween) = (0, '\0', true);
        for (var i = from; i < html.Length; i++)
        {
            var c = html[i];
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
                continue;
            }
            if (c == '>')
                return i + 1;
            if (c is '"' or '\'')
                quote = c;
            // What begins after white space or a slash is counted, whether it is an attribute or not: rather too many.
            if (isBetween && !char.IsWhiteSpace(c) && c != '/' && ++attributes > MaxAttributes)
                return null;
            isBetween = char.IsWhiteSpace(c) || c is '/' or '"' or '\'';
        }
        return null;
    }

    /// <summary>The place of the end tag; null where there is none, or too much before it.</summary>
    private static int? EndOfRaw(string html, int from, string name)
    {
        var end = html.IndexOf("</" + name, from, StringComparison.OrdinalIgnoreCase);
        var isScript = name.Equals("script", StringComparison.OrdinalIgnoreCase);
        return end >= 0 && (isScript || html.AsSpan(from, end - from).Count('<') <= MaxTextTags) ? end : null;
    }
}
