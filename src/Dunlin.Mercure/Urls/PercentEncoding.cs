using System.Text;

namespace Dunlin.Mercure.Urls;

/// <summary>Percent-encoding of the WHATWG URL standard, section 1.3. Text that is encoded already stays as it is.</summary>
internal static class PercentEncoding
{
    public static bool Fragment(char c) => Control(c) || c is ' ' or '"' or '<' or '>' or '`';

    public static bool Query(char c) => Control(c) || c is ' ' or '"' or '#' or '<' or '>';

    public static bool SpecialQuery(char c) => Query(c) || c == '\'';

    public static bool Path(char c) => Query(c) || c is '?' or '^' or '`' or '{' or '}';

    public static bool UserInfo(char c) => Path(c) || c is '/' or ':' or ';' or '=' or '@' or '[' or '\\' or ']' or '|';

    public static bool Control(char c) => c is < ' ' or > '~';

    /// <summary>Encodes the code points that <paramref name="isEncoded"/> names, as UTF-8. Half a surrogate pair becomes U+FFFD.</summary>
    public static string Encode(ReadOnlySpan<char> text, Func<char, bool> isEncoded)
    {
        var first = 0;
        while (first < text.Length && !isEncoded(text[first]))
            first++;
        if (first == text.Length)
            return text.ToString();
        var result = new StringBuilder(text.Length + 16).Append(text[..first]);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text[first..].EnumerateRunes())
        {
            if (rune.IsAscii && !isEncoded((char)rune.Value))
            {
                result.Append((char)rune.Value);
                continue;
            }
            var length = rune.EncodeToUtf8(utf8);
            for (var i = 0; i < length; i++)
                result.Append('%').Append(Convert.ToHexString(utf8.Slice(i, 1)));
        }
        return result.ToString();
    }

    /// <summary>Decodes percent-encoded bytes as UTF-8. Returns null if they are not UTF-8.</summary>
    public static string? Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16));
                i += 2;
                continue;
            }
            var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
            bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
            i += length - 1;
        }
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
