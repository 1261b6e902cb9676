namespace Dunlin.Mercure.UrlPatterns;

/// <summary>
/// Matches a component of literal text and wildcards without a program, if no wildcard has a choice of where to end. Most patterns of
/// tokens have this form, and it costs a few comparisons. Immutable.
/// </summary>
internal sealed class PatternSequence
{
    private readonly PatternPart[] _parts;
    private readonly char _delimiter;

    private PatternSequence(PatternPart[] parts, char delimiter) => (_parts, _delimiter) = (parts, delimiter);

    /// <summary>Returns the matcher of the parts; null if they need a program.</summary>
    public static PatternSequence? Of(List<PatternPart> parts, PatternOptions options)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            if (part.Modifier != PartModifier.None || part.Suffix.Length > 0 || part.Type == PartType.Regexp)
                return null;
            if (part.Type == PartType.FixedText || i == parts.Count - 1)
                continue;
            // A segment wildcard ends at the delimiter, which must therefore be the next character of the pattern.
            var next = parts[i + 1].Type == PartType.FixedText ? parts[i + 1].Value : parts[i + 1].Prefix;
            if (
                part.Type == PartType.FullWildcard
                || options.Delimiter is not { } delimiter
                || next is not [var first, ..]
                || first != delimiter
            )
                return null;
        }
        return new PatternSequence([.. parts], options.Delimiter ?? '\0');
    }

    /// <summary>Returns whether the whole value matches.</summary>
    public bool IsMatch(string value)
    {
        var rest = value.AsSpan();
        foreach (var part in _parts)
        {
            var text = part.Type == PartType.FixedText ? part.Value : part.Prefix;
            if (!rest.StartsWith(text, StringComparison.Ordinal))
                return false;
            rest = rest[text.Length..];
            if (part.Type == PartType.FullWildcard)
                return true;
            if (part.Type != PartType.SegmentWildcard)
                continue;
            var end = _delimiter == '\0' ? -1 : rest.IndexOf(_delimiter);
            if (end == 0 || rest.IsEmpty)
                return false;
            rest = end < 0 ? default : rest[end..];
        }
        return rest.IsEmpty;
    }
}
