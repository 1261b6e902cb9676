using System.Globalization;
using System.Text;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Normalizes text of a page to one line.</summary>
internal static class PlainText
{
    public static int MaxTitle => WishlistLimits.Shared.Title;

    private const int BlackFlag = 0x1F3F4;

    // Characters to read beyond the maximum, to find the end of the last grapheme: a family emoji has 11.
    private const int Slack = 32;

    /// <summary>
    /// Removes control characters and repeated white space and cuts the text between two graphemes. Returns null if nothing is left.
    /// </summary>
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
        // Remove joiners at the end, which join nothing.
        var clean = Cut(line.ToString(), maxLength).TrimEnd(' ', '\u200C', '\u200D');
        return clean.Length == 0 ? null : clean;
    }

    private static bool IsShown(Rune rune, Rune last) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control or UnicodeCategory.PrivateUse => false,
            // Most characters of this category are invisible or change the text direction.
            UnicodeCategory.Format => rune.Value switch
            {
                // Zero-width joiners affect how letters join (Persian, Indic scripts) and form emoji sequences. A joiner without a
                // predecessor is dropped.
                0x200C or 0x200D => last.Value is not (' ' or 0x200C or 0x200D),
                // Tag characters in the flags of England, Scotland and Wales.
                >= 0xE0020 and <= 0xE007F => last.Value is BlackFlag or (>= 0xE0020 and <= 0xE007F),
                // Arabic and Syriac signs that enclose digits.
                (>= 0x0600 and <= 0x0605) or 0x06DD or 0x070F or 0x0890 or 0x0891 or 0x08E2 => true,
                _ => false,
            },
            _ => true,
        };

    // Cuts between two graphemes. Only a grapheme that is longer than the limit is split.
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
