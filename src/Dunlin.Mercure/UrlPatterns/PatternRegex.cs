using System.Text;
using System.Text.RegularExpressions;

namespace Dunlin.Mercure.UrlPatterns;

/// <summary>Regular expressions of URL patterns. They run without backtracking, in time linear in the length of the topic.</summary>
/// <remarks>
/// The standard uses JavaScript's syntax with the flag <c>v</c>. <see cref="Translate"/> accepts what has the same meaning in .NET without
/// backtracking, and refuses the rest: look-around, back references, property classes and set operations.
/// </remarks>
internal static class PatternRegex
{
    public static Regex Compile(IEnumerable<PatternPart> parts, PatternOptions options)
    {
        var text = new StringBuilder(@"\A");
        foreach (var part in parts)
            Append(text, part, options);
        try
        {
            return new Regex(
                text.Append(@"\z").ToString(),
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline
            );
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"The pattern has a regular expression that is not supported: {error.Message}", error);
        }
    }

    private static void Append(StringBuilder text, PatternPart part, PatternOptions options)
    {
        var (prefix, suffix) = (Regex.Escape(part.Prefix), Regex.Escape(part.Suffix));
        var modifier = part.Modifier switch
        {
            PartModifier.Optional => "?",
            PartModifier.ZeroOrMore => "*",
            PartModifier.OneOrMore => "+",
            _ => "",
        };
        var value = part.Type switch
        {
            PartType.FixedText => Regex.Escape(part.Value),
            PartType.SegmentWildcard => options.Delimiter is { } delimiter ? $"[^{Regex.Escape(delimiter.ToString())}]+" : ".+",
            PartType.FullWildcard => ".*",
            _ => part.Value,
        };
        if (prefix.Length + suffix.Length == 0 || part.Modifier is PartModifier.None or PartModifier.Optional)
            text.Append($"(?:{prefix}(?:{value}){suffix}){modifier}");
        else
        {
            // Prefix and suffix stand between the repetitions too.
            text.Append($"(?:{prefix}(?:{value})(?:{suffix}{prefix}(?:{value}))*{suffix})");
            text.Append(part.Modifier == PartModifier.ZeroOrMore ? "?" : "");
        }
    }

    /// <summary>Translates a regular expression of a group to .NET.</summary>
    /// <exception cref="FormatException">It uses syntax that has no equivalent here.</exception>
    public static string Translate(string expression)
    {
        var result = new StringBuilder(expression.Length);
        var inClass = false;
        for (var i = 0; i < expression.Length; i++)
        {
            var c = expression[i];
            switch (c)
            {
                case '\\':
                    result.Append(Escape(expression, ref i, inClass));
                    break;
                case '[' when inClass:
                    throw Refused("a class inside a class");
                case '[':
                    inClass = true;
                    result.Append(c);
                    break;
                case ']':
                    inClass = false;
                    result.Append(c);
                    break;
                case '(' or ')' or '{' or '}' or '/' or '|' when inClass:
                    throw Refused($"'{c}' in a class without a backslash");
                case '&' or '-' when inClass && i + 1 < expression.Length && expression[i + 1] == c:
                    throw Refused("a set operation");
                case '.' when !inClass:
                    result.Append(@"[^\n\r\u2028\u2029]");
                    break;
                case '^' when !inClass:
                    result.Append(@"\A");
                    break;
                case '$' when !inClass:
                    result.Append(@"\z");
                    break;
                case '(' when !inClass && !expression.AsSpan(i).StartsWith("(?:"):
                    throw Refused("look-around and named groups");
                default:
                    result.Append(c);
                    break;
            }
        }
        return result.ToString();
    }

    private static string Escape(string expression, ref int i, bool inClass)
    {
        var c = expression[++i];
        switch (c)
        {
            case 'd':
                return inClass ? "0-9" : "[0-9]";
            case 'w':
                return inClass ? "A-Za-z0-9_" : "[A-Za-z0-9_]";
            case 's':
                return inClass ? @"\s\uFEFF" : @"[\s\uFEFF]";
            case 'D' when !inClass:
                return "[^0-9]";
            case 'W' when !inClass:
                return "[^A-Za-z0-9_]";
            case 'S' when !inClass:
                return @"[^\s\uFEFF]";
            case 'n' or 'r' or 't' or 'v' or 'f':
                return "\\" + c;
            case 'u' or 'x' when IsHex(expression, i + 1, c == 'u' ? 4 : 2):
                var code = expression.Substring(i, c == 'u' ? 5 : 3);
                i += code.Length - 1;
                return "\\" + code;
            case var _ when char.IsAsciiLetterOrDigit(c):
                throw Refused($"the escape \\{c}");
            default:
                return "\\" + c;
        }
    }

    private static bool IsHex(string text, int start, int length) =>
        start + length <= text.Length && text.AsSpan(start, length).IndexOfAnyExcept("0123456789abcdefABCDEF") < 0;

    private static FormatException Refused(string what) =>
        new($"The regular expression of the pattern uses {what}, which is not supported.");
}
