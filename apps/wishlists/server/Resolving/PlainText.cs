using System.Globalization;
using System.Text;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Text of a page as one line.</summary>
internal static class PlainText
{
    public const int MaxTitle = 300;

    private const int BlackFlag = 0x1F3F4;

    // Read beyond the length, to see where the last character ends: a family emoji has 11.
    private const int Slack = 32;

    /// <summary>Without control characters and runs of white space, cut at a length between two characters as readers see them; null
    /// where nothing is left.</summary>
    public static string? Clean(string? text, int maxLength)
    {
        if (text is null)
            return null;
        var line = new StringBuilder(Math.Min(text.Length, maxLength));
        var last = new Rune(' ');
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length > maxLength + Slack)
                break;
            if (Rune.IsWhiteSpace(rune))
            {
                if (line.Length > 0 && line[^1] != ' ')
                    line.Append(' ');
                last = new Rune(' ');
            }
            else if (IsShown(rune, last))
            {
                line.Append(rune);
                last = rune;
            }
        }
        // Joiners join nothing at the end.
        var clean = Cut(line.ToString(), maxLength).TrimEnd(' ', '\u200C', '\u200D');
        return clean.Length == 0 ? null : clean;
    }

    private static bool IsShown(Rune rune, Rune last) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control or UnicodeCategory.PrivateUse => false,
            // Most of this category is invisible or turns the direction of what follows.
            UnicodeCategory.Format => rune.Value switch
            {
                // They decide how letters join (Persian, Indic scripts) and which emoji are one; alone they are nothing.
                0x200C or 0x200D => last.Value is not (' ' or 0x200C or 0x200D),
                // The flags of England, Scotland and Wales.
                >= 0xE0020 and <= 0xE007F => last.Value is BlackFlag or (>= 0xE0020 and <= 0xE007F),
                // Signs of Arabic and Syriac that are drawn around digits.
                (>= 0x0600 and <= 0x0605) or 0x06DD or 0x070F or 0x0890 or 0x0891 or 0x08E2 => true,
                _ => false,
            },
            _ => true,
        };

    // Between two characters as readers see them; within one that has no end.
    private static string Cut(string line, int maxLength)
    {
        if (line.Length <= maxLength)
            return line;
        var end = 0;
        while (StringInfo.GetNextTextElementLength(line, end) is var length && end + length <= maxLength)
            end += length;
        if (end == 0)
            end = char.IsHighSurrogate(line[maxLength - 1]) ? maxLength - 1 : maxLength;
        return line[..end];
    }
}
