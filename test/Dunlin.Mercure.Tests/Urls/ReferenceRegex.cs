using System.Text;
using System.Text.RegularExpressions;
using Dunlin.Mercure.UrlPatterns;

namespace Dunlin.Mercure.Tests.Urls;

/// <summary>Builds the regular expressions of patterns for the engine of .NET: the reference for <see cref="NfaProgram"/>.</summary>
internal static class ReferenceRegex
{
    public static Regex Compile(string expression) =>
        new($@"\A(?:{expression})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline);

    public static Regex Compile(IEnumerable<PatternPart> parts, PatternOptions options) =>
        Compile(string.Concat(parts.Select(part => Text(part, options))));

    private static string Text(PatternPart part, PatternOptions options)
    {
        var (prefix, suffix) = (Regex.Escape(part.Prefix), Regex.Escape(part.Suffix));
        var value = part.Type switch
        {
            PartType.FixedText => Regex.Escape(part.Value),
            PartType.SegmentWildcard => options.Delimiter is { } delimiter ? $"[^{Regex.Escape(delimiter.ToString())}]+" : ".+",
            PartType.FullWildcard => ".*",
            _ => Translate(part.Value),
        };
        // As the standard writes it, section 2.1.6.
        return (prefix.Length + suffix.Length, part.Modifier) switch
        {
            (_, PartModifier.None) => $"{prefix}(?:{value}){suffix}",
            (_, PartModifier.Optional) => $"(?:{prefix}(?:{value}){suffix})?",
            (0, PartModifier.ZeroOrMore) => $"(?:{value})*",
            (0, _) => $"(?:{value})+",
            (_, var modifier) =>
                $"(?:{prefix}(?:{value})(?:{suffix}{prefix}(?:{value}))*{suffix}){(modifier == PartModifier.ZeroOrMore ? "?" : "")}",
        };
    }

    /// <summary>Replaces what JavaScript and .NET understand differently.</summary>
    public static string Translate(string expression)
    {
        var (result, inClass) = (new StringBuilder(), false);
        for (var i = 0; i < expression.Length; i++)
        {
            var c = expression[i];
            inClass = c == '[' || (inClass && c != ']');
            var escaped = c == '\\' ? expression[++i] : '\0';
            result.Append(
                (c, escaped, inClass) switch
                {
                    ('\\', 'd' or 'w' or 's', true) => Members(escaped),
                    ('\\', 'd' or 'w' or 's', false) => $"[{Members(escaped)}]",
                    ('\\', 'D' or 'W' or 'S', _) => $"[^{Members(char.ToLowerInvariant(escaped))}]",
                    ('\\', _, _) => $"\\{escaped}",
                    ('.', _, false) => @"[^\n\r\u2028\u2029]",
                    ('^', _, false) => @"\A",
                    ('$', _, false) => @"\z",
                    _ => c.ToString(),
                }
            );
        }
        return result.ToString();
    }

    private static string Members(char escape) =>
        escape switch
        {
            'd' => "0-9",
            'w' => "A-Za-z0-9_",
            _ => @"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
        };
}
