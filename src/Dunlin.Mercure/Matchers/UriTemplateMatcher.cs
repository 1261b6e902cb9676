using Dunlin.Mercure.UrlPatterns;

namespace Dunlin.Mercure.Matchers;

/// <summary>
/// Matches topics that a URI template (RFC 6570) can expand to, or that equal its text: the selectors of Mercure 0.x. Runs in time linear
/// in the length of the topic.
/// </summary>
internal sealed record UriTemplateMatcher : TopicMatcher
{
    private static readonly RegexNode Unreserved = RegexParser.Parse(@"[A-Za-z0-9\-._~,]|%[0-9A-Fa-f]{2}");
    private static readonly RegexNode UnreservedPairs = RegexParser.Parse(@"[A-Za-z0-9\-._~,=]|%[0-9A-Fa-f]{2}");
    private static readonly RegexNode Reserved = RegexParser.Parse(@"[A-Za-z0-9\-._~:\/?#\[\]@!$&'\(\)*+,;=]|%[0-9A-Fa-f]{2}");

    // RFC 6570, section 2.3, with the modifiers of section 2.4.
    private static readonly NfaProgram Variable = NfaCompiler.Compile(
        RegexParser.Parse(@"(?:\w|%[0-9A-Fa-f]{2})(?:\.?(?:\w|%[0-9A-Fa-f]{2}))*(?:\*|:[1-9]\d{0,3})?")
    );

    private readonly NfaProgram _program;

    private UriTemplateMatcher(string text, string prefix, NfaProgram program)
        : base(UriTemplate, text) => (Prefix, _program) = (prefix, program);

    public override string Prefix { get; }

    public override bool IsMatch(Topic topic) =>
        topic.Text == Text || (topic.Text.StartsWith(Prefix, StringComparison.Ordinal) && _program.IsMatch(topic.Text, Prefix.Length));

    public bool Equals(UriTemplateMatcher? other) => other?.Text == Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Parses a template. A text without expressions, or that is no template, selects the topic with this text only.</summary>
    /// <exception cref="FormatException">The template needs a program of more than <see cref="NfaProgram.MaxWords"/>.</exception>
    public static TopicMatcher Parse(string text)
    {
        var open = text.IndexOf('{', StringComparison.Ordinal);
        if (open < 0 || text.AsSpan(0, open).Contains('}'))
            return new ExactMatcher(text) { Type = UriTemplate };
        var nodes = new List<RegexNode>();
        for (var i = open; i < text.Length; )
        {
            if (text[i] != '{')
            {
                var end = text.IndexOf('{', i) is var next and >= 0 ? next : text.Length;
                if (text.AsSpan(i, end - i).Contains('}'))
                    return new ExactMatcher(text) { Type = UriTemplate };
                nodes.Add(new LiteralNode(text[i..end]));
                i = end;
                continue;
            }
            var close = text.IndexOf('}', i);
            if (close < 0 || Expression(text[(i + 1)..close]) is not { } expression)
                return new ExactMatcher(text) { Type = UriTemplate };
            nodes.Add(expression);
            i = close + 1;
        }
        // A topic that equals the template begins with the text before the first expression too.
        return new UriTemplateMatcher(text, text[..open], NfaCompiler.Compile(new SequenceNode(nodes)));
    }

    // The operators of RFC 6570, appendix A: first character, separator, whether values have names, and which characters stay as they are.
    private static RegexNode? Expression(string text)
    {
        if (text.Length == 0)
            return null;
        var (first, separator, isNamed, isReserved) = text[0] switch
        {
            '+' => ("", ",", false, true),
            '#' => ("#", ",", false, true),
            '.' => (".", ".", false, false),
            '/' => ("/", "/", false, false),
            ';' => (";", ";", true, false),
            '?' => ("?", "&", true, false),
            '&' => ("&", "&", true, false),
            _ => ("", ",", false, false),
        };
        var names = text[(text[0] is '+' or '#' or '.' or '/' or ';' or '?' or '&' ? 1 : 0)..].Split(',');
        if (names.Any(name => !Variable.IsMatch(name)))
            return null;
        var isExploded = names.Any(name => name.EndsWith('*'));
        // A value that is a list has commas; one that is a map, or that has a name, has equals signs.
        var character =
            isReserved ? Reserved
            : isNamed || isExploded ? UnreservedPairs
            : Unreserved;
        var value = new RepetitionNode(character, 0, null);
        var more = new SequenceNode(new LiteralNode(separator), value);
        var values = new SequenceNode(value, new RepetitionNode(more, 0, isExploded ? null : names.Length - 1));
        return first.Length == 0 ? values : new RepetitionNode(new SequenceNode(new LiteralNode(first), values), 0, 1);
    }
}
