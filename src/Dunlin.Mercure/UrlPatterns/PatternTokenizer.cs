using System.Globalization;

namespace Dunlin.Mercure.UrlPatterns;

/// <summary>The tokenizer of the URL Pattern standard, section 2.1.2.</summary>
internal static class PatternTokenizer
{
    /// <summary>Splits a pattern into tokens. The last one is always <see cref="TokenType.End"/>.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="isLenient">Whether a faulty character becomes <see cref="TokenType.InvalidChar"/>, as for a whole URL pattern.</param>
    /// <exception cref="FormatException">The pattern is faulty.</exception>
    public static List<PatternToken> Tokenize(string text, bool isLenient)
    {
        var tokens = new List<PatternToken>();
        for (var i = 0; i < text.Length; )
        {
            var (type, end, value) = Read(text, i);
            if (type == TokenType.InvalidChar && !isLenient)
                throw new FormatException($"The character at {i} is not valid here: {value}");
            tokens.Add(new PatternToken(type, i, value));
            i = end;
        }
        tokens.Add(new PatternToken(TokenType.End, text.Length, ""));
        return tokens;
    }

    private static (TokenType Type, int End, string Value) Read(string text, int i)
    {
        var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
        var c = text.Substring(i, length);
        return text[i] switch
        {
            '*' => (TokenType.Asterisk, i + 1, c),
            '+' or '?' => (TokenType.OtherModifier, i + 1, c),
            '{' => (TokenType.Open, i + 1, c),
            '}' => (TokenType.Close, i + 1, c),
            '\\' => Escaped(text, i),
            ':' => Name(text, i),
            '(' => Regexp(text, i),
            _ => (TokenType.Char, i + length, c),
        };
    }

    private static (TokenType Type, int End, string Value) Escaped(string text, int i)
    {
        if (i == text.Length - 1)
            return (TokenType.InvalidChar, i + 1, "\\");
        var length = char.IsHighSurrogate(text[i + 1]) && i + 2 < text.Length ? 2 : 1;
        return (TokenType.EscapedChar, i + 1 + length, text.Substring(i + 1, length));
    }

    private static (TokenType Type, int End, string Value) Name(string text, int i)
    {
        var end = i + 1;
        while (end < text.Length && IsNamePart(text, end, isFirst: end == i + 1, out var length))
            end += length;
        return end == i + 1 ? (TokenType.InvalidChar, i + 1, ":") : (TokenType.Name, end, text[(i + 1)..end]);
    }

    // A JavaScript identifier.
    private static bool IsNamePart(string text, int i, bool isFirst, out int length)
    {
        length = char.IsSurrogatePair(text, i) ? 2 : 1;
        if (text[i] is '$' or '_')
            return true;
        switch (CharUnicodeInfo.GetUnicodeCategory(text, i))
        {
            case UnicodeCategory.UppercaseLetter:
            case UnicodeCategory.LowercaseLetter:
            case UnicodeCategory.TitlecaseLetter:
            case UnicodeCategory.ModifierLetter:
            case UnicodeCategory.OtherLetter:
            case UnicodeCategory.LetterNumber:
                return true;
            case UnicodeCategory.NonSpacingMark:
            case UnicodeCategory.SpacingCombiningMark:
            case UnicodeCategory.DecimalDigitNumber:
            case UnicodeCategory.ConnectorPunctuation:
                return !isFirst;
            default:
                return !isFirst && text[i] is '\u200c' or '\u200d';
        }
    }

    private static (TokenType Type, int End, string Value) Regexp(string text, int i)
    {
        var invalid = (TokenType.InvalidChar, i + 1, "(");
        var depth = 1;
        var end = i + 1;
        if (end < text.Length && text[end] == '?')
            return invalid;
        for (; end < text.Length && depth > 0; end++)
        {
            switch (text[end])
            {
                case > '\x7f':
                    return invalid;
                case '\\':
                    end++;
                    if (end >= text.Length || text[end] > '\x7f')
                        return invalid;
                    break;
                case ')':
                    depth--;
                    break;
                case '(':
                    depth++;
                    // Capturing groups would shift the numbers of the pattern's own groups.
                    if (end + 1 >= text.Length || text[end + 1] != '?')
                        return invalid;
                    break;
            }
        }
        return depth > 0 || end == i + 2 ? invalid : (TokenType.Regexp, end, text[(i + 1)..(end - 1)]);
    }
}
