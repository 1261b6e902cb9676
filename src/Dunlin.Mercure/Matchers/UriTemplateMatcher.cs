using System.Text;
using System.Text.RegularExpressions;

namespace Dunlin.Mercure.Matchers;

/// <summary>
/// Matches topics that a URI template (RFC 6570) can expand to, or that equal its text: the selectors of Mercure 0.x. Runs in time linear
/// in the length of the topic.
/// </summary>
internal sealed record UriTemplateMatcher : TopicMatcher
{
    private const string Unreserved = "[A-Za-z0-9\\-._~]";
    private const string Reserved = "[A-Za-z0-9\\-._~:/?#\\[\\]@!$&'()*+,;=]";
    private const string Encoded = "%[0-9A-Fa-f]{2}";

    private readonly Regex _regex;

    private UriTemplateMatcher(string text, string prefix, Regex regex)
        : base(UriTemplate, text) => (Prefix, _regex) = (prefix, regex);

    public override string Prefix { get; }

    public override bool IsMatch(Topic topic) => topic.Text == Text || _regex.IsMatch(topic.Text);

    public bool Equals(UriTemplateMatcher? other) => other?.Text == Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Parses a template. A text without expressions, or that is no template, selects the topic with this text only.</summary>
    public static TopicMatcher Parse(string text)
    {
        var open = text.IndexOf('{', StringComparison.Ordinal);
        if (open < 0)
            return new ExactMatcher(text) { Type = UriTemplate };
        var regex = new StringBuilder(@"\A");
        for (var i = 0; i < text.Length; )
        {
            if (text[i] != '{')
            {
                var end = text.IndexOf('{', i) is var next and >= 0 ? next : text.Length;
                if (text.AsSpan(i, end - i).Contains('}'))
                    return new ExactMatcher(text) { Type = UriTemplate };
                regex.Append(Regex.Escape(text[i..end]));
                i = end;
                continue;
            }
            var close = text.IndexOf('}', i);
            if (close < 0 || Expression(text[(i + 1)..close]) is not { } expression)
                return new ExactMatcher(text) { Type = UriTemplate };
            regex.Append(expression);
            i = close + 1;
        }
        // A topic that equals the template begins with the text before the first expression too.
        return new UriTemplateMatcher(
            text,
            text[..open],
            new Regex(regex.Append(@"\z").ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)
        );
    }

    // The operators of RFC 6570, appendix A: first character, separator, whether values have names, and which characters stay as they are.
    private static string? Expression(string text)
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
        if (
            names.Any(name =>
                !Regex.IsMatch(
                    name,
                    @"\A(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(?:\*|:[1-9][0-9]{0,3})?\z"
                )
            )
        )
            return null;
        var isExploded = names.Any(name => name.EndsWith('*'));
        // A value that is a list has commas; one that is a map, or that has a name, has equals signs.
        var character =
            isReserved ? Reserved
            : isNamed || isExploded ? $"{Unreserved}|[,=]"
            : $"{Unreserved}|,";
        var value = $"(?:{character}|{Encoded})*";
        var more = isExploded ? "*" : $"{{0,{names.Length - 1}}}";
        var values = $"{value}(?:{Regex.Escape(separator)}{value}){more}";
        return first.Length == 0 ? values : $"(?:{Regex.Escape(first)}{values})?";
    }
}
