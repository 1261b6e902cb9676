namespace Dunlin.Mercure.UrlPatterns;

/// <summary>Builds the regular expression of a component: the URL Pattern standard, section 2.1.6.</summary>
internal static class PatternRegex
{
    /// <summary>Compiles parts to a program.</summary>
    /// <exception cref="FormatException">A group has a faulty expression, or the program is too large.</exception>
    public static NfaProgram Compile(IEnumerable<PatternPart> parts, PatternOptions options) =>
        NfaCompiler.Compile(new SequenceNode([.. parts.Select(part => Node(part, options))]));

    private static RegexNode Node(PatternPart part, PatternOptions options)
    {
        RegexNode value = part.Type switch
        {
            PartType.FixedText => new LiteralNode(part.Value),
            PartType.SegmentWildcard => new RepetitionNode(new SetNode(SegmentCharacters(options.Delimiter)), 1, null),
            PartType.FullWildcard => new RepetitionNode(new SetNode(CharacterSet.Any), 0, null),
            _ => RegexParser.Parse(part.Value),
        };
        var (prefix, suffix) = (new LiteralNode(part.Prefix), new LiteralNode(part.Suffix));
        var once = new SequenceNode(prefix, value, suffix);
        if (part.Modifier == PartModifier.None)
            return once;
        if (part.Modifier == PartModifier.Optional)
            return new RepetitionNode(once, 0, 1);
        // Prefix and suffix stand between the repetitions too, so the text is one repetition of the whole.
        return new RepetitionNode(once, part.Modifier == PartModifier.ZeroOrMore ? 0 : 1, null);
    }

    private static CharacterSet SegmentCharacters(char? delimiter) =>
        delimiter is { } c ? CharacterSet.Of([c, c]).Complement() : CharacterSet.Any;
}
