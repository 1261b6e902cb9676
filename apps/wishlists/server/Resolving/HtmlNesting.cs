namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Bounds how deep a page is nested before it is parsed: the work of an HTML parser grows with the depth for every element,
/// so half a megabyte of opening tags would keep it busy for minutes. Counting tags is not parsing; it is only to be
/// certain that what passes is shallow, and browsers themselves stop at 512.
/// </summary>
internal static class HtmlNesting
{
    public const int MaxDepth = 512;

    // Their end tags may be left out, or they have none: they do not nest in themselves.
    private static readonly HashSet<string> Flat = new(
        "area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup tr td th thead tbody tfoot rt rp html head body".Split(' '),
        StringComparer.OrdinalIgnoreCase);

    private static readonly string[] Raw = ["script", "style", "textarea", "title", "noscript", "iframe", "xmp", "noembed", "noframes"];

    /// <summary>The page up to where it would be too deep.</summary>
    public static string Cut(string html)
    {
        var depth = 0;
        for (var i = html.IndexOf('<', StringComparison.Ordinal); i >= 0 && i + 1 < html.Length; i = html.IndexOf('<', i + 1))
        {
            var closes = html[i + 1] == '/';
            var start = closes ? i + 2 : i + 1;
            if (start >= html.Length || !char.IsAsciiLetter(html[start]))
                continue;
            var end = start;
            while (end < html.Length && end - start < 32 && (char.IsAsciiLetterOrDigit(html[end]) || html[end] == '-'))
                end++;
            var name = html[start..end];
            if (closes)
                depth = Math.Max(0, depth - (Flat.Contains(name) ? 0 : 1));
            else if (Array.Exists(Raw, raw => raw.Equals(name, StringComparison.OrdinalIgnoreCase)))
                i = Math.Max(i, EndOfRaw(html, end, name) - 1);
            else if (!Flat.Contains(name) && ++depth > MaxDepth)
                return html[..i];
        }
        return html;
    }

    private static int EndOfRaw(string html, int from, string name)
    {
        var at = html.IndexOf("</" + name, from, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? html.Length : at + 2 + name.Length;
    }
}
