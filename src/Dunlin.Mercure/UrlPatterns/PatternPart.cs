namespace Dunlin.Mercure.UrlPatterns;

internal enum PartType
{
    FixedText,
    SegmentWildcard,
    FullWildcard,
    Regexp,
}

internal enum PartModifier
{
    None,
    Optional,
    ZeroOrMore,
    OneOrMore,
}

/// <summary>One part of a component: literal text, or a group with its prefix and suffix.</summary>
internal sealed record PatternPart(PartType Type, string Value, PartModifier Modifier, string Prefix = "", string Suffix = "");

/// <summary>How a component is split into segments.</summary>
/// <param name="Delimiter">The character that a segment wildcard does not match; null for none.</param>
/// <param name="Prefix">The character that belongs to the group after it; null for none.</param>
internal readonly record struct PatternOptions(char? Delimiter, char? Prefix)
{
    public static readonly PatternOptions Default = new(null, null);
    public static readonly PatternOptions Hostname = new('.', null);
    public static readonly PatternOptions Pathname = new('/', '/');
}
