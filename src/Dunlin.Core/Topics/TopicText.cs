using System.Globalization;

namespace Dunlin.Topics;

/// <summary>The characters that text topics and other identifiers of any text may contain.</summary>
internal static class TopicText
{
    /// <summary>
    /// Returns whether a text is valid Unicode without control characters (C0, DEL, C1) and without invisible format characters (Cf). Two
    /// identifiers that differ in such characters only would look alike.
    /// </summary>
    /// <param name="text">The text.</param>
    public static bool IsValid(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is >= ' ' and < '\x7f')
                continue;
            if (c <= '\x9f')
                return false;
            if (char.IsSurrogate(c))
            {
                if (!char.IsSurrogatePair(text, i) || CharUnicodeInfo.GetUnicodeCategory(text, i) == UnicodeCategory.Format)
                    return false;
                i++;
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.Format)
                return false;
        }
        return true;
    }
}
