using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Reads malformed JSON of pages, as search engines do. Accepts comments around it, raw line ends in strings, invalid escapes, a semicolon
/// at the end, several values in sequence, and HTML entities for quotation marks.
/// </summary>
internal static partial class JsonText
{
    private const int MaxDepth = 32;
    private const int MaxValues = 100;

    private static readonly JsonReaderOptions Lenient = new()
    {
        MaxDepth = MaxDepth,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        AllowMultipleValues = true,
    };

    /// <summary>Returns the values before the first unreadable place. The caller disposes each of them.</summary>
    public static IReadOnlyList<JsonDocument> Read(string text)
    {
        text = Unwrap(text);
        var values = ReadClean(Clean(text));
        return values.Count == 0 && text.Contains("&quot;", StringComparison.OrdinalIgnoreCase)
            ? ReadClean(Clean(WebUtility.HtmlDecode(text)))
            : values;
    }

    private static List<JsonDocument> ReadClean(byte[] json)
    {
        var values = new List<JsonDocument>();
        var reader = new Utf8JsonReader(json, Lenient);
        try
        {
            while (values.Count < MaxValues && reader.Read())
                values.Add(JsonDocument.ParseValue(ref reader));
        }
        catch (JsonException)
        {
            // Keep the values before the error.
        }
        return values;
    }

    private static string Unwrap(string text)
    {
        text = Opening().Replace(text, "");
        return Closing().Replace(text, "");
    }

    /// <summary>
    /// Makes strings valid: control characters become spaces, invalid escapes lose their backslash, lone surrogates become U+FFFD. Removes
    /// semicolons between values.
    /// </summary>
    private static byte[] Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        var (isText, depth) = (false, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (!isText)
            {
                isText = c == '"';
                depth +=
                    c is '{' or '[' ? 1
                    : c is '}' or ']' ? -1
                    : 0;
                clean.Append((c == ';' && depth == 0) || (c < ' ') || c == '\uFEFF' ? ' ' : c);
            }
            else if (c == '\\')
            {
                i = Escape(text, i, clean);
            }
            else
            {
                isText = c != '"';
                clean.Append(c < ' ' ? ' ' : c);
            }
        }
        // The encoder replaces raw lone surrogates.
        return Encoding.UTF8.GetBytes(clean.ToString());
    }

    /// <summary>Copies one escape.</summary>
    /// <returns>The index of its last character.</returns>
    private static int Escape(string text, int at, StringBuilder clean)
    {
        if (at + 1 >= text.Length)
            return at;
        var c = text[at + 1];
        if (c != 'u')
        {
            if (c is '"' or '\\' or '/' or 'b' or 'f' or 'n' or 'r' or 't')
                clean.Append('\\').Append(c);
            else
                clean.Append(c < ' ' ? ' ' : c);
            return at + 1;
        }
        if (Unit(text, at) is not { } unit)
        {
            clean.Append('u');
            return at + 1;
        }
        if (char.IsHighSurrogate(unit) && Unit(text, at + 6) is { } low && char.IsLowSurrogate(low))
        {
            clean.Append(text, at, 12);
            return at + 11;
        }
        if (char.IsSurrogate(unit))
            clean.Append('\uFFFD');
        else
            clean.Append(text, at, 6);
        return at + 5;
    }

    private static char? Unit(string text, int at) =>
        at + 5 < text.Length
        && text[at] == '\\'
        && text[at + 1] == 'u'
        && ushort.TryParse(text.AsSpan(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;

    [GeneratedRegex(@"^\s*((//|/\*)?\s*(<!--|<!\[CDATA\[)\s*(\*/)?\s*)+", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Opening();

    [GeneratedRegex(@"(\s*(//|/\*)?\s*(-->|\]\]>)\s*(\*/)?)+\s*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Closing();
}
