namespace Dunlin.Mercure.UrlPatterns;

internal enum TokenType
{
    Open,
    Close,
    Regexp,
    Name,
    Char,
    EscapedChar,
    OtherModifier,
    Asterisk,
    End,
    InvalidChar,
}

/// <summary>One token of a pattern: its type, its index in the text, and its value without syntax characters.</summary>
internal readonly record struct PatternToken(TokenType Type, int Index, string Value);
