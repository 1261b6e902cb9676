using System.Text.RegularExpressions;

namespace Dunlin.Core.Tests.Style;

/// <summary>
/// The sentences of a Markdown page. Code blocks, headings, comments and pictures are no prose. Inline code is one word, and of a link only
/// its text counts. An item of a list, a cell of a table and a line of HTML end a sentence.
/// </summary>
internal static partial class Prose
{
    /// <summary>The sentences of paragraphs and lists.</summary>
    public static List<string> Sentences(string markdown) => [.. Blocks(markdown).SelectMany(Split)];

    /// <summary>The sentences in the cells of tables.</summary>
    public static List<string> CellSentences(string markdown) =>
        [
            .. Lines(markdown)
                .Where(IsRow)
                .SelectMany(row => Plain(row.Replace(@"\|", "", StringComparison.Ordinal)).Split('|'))
                .SelectMany(Split),
        ];

    /// <summary>The words of a sentence: what has a letter or a digit.</summary>
    public static int WordsOf(string sentence) => Word().Count(sentence);

    private static IEnumerable<string> Blocks(string markdown)
    {
        var block = new List<string>();
        foreach (var line in Lines(markdown).Append(""))
        {
            var isItem = Item().IsMatch(line);
            if (isItem || line.Length == 0 || IsRow(line) || line[0] is '#' or '<')
            {
                if (block.Count > 0)
                    yield return Plain(string.Join(' ', block));
                block.Clear();
            }
            if (line.Length > 0 && !IsRow(line) && !line.StartsWith('#'))
                block.Add(Item().Replace(line, ""));
        }
    }

    private static IEnumerable<string> Lines(string markdown) =>
        Skipped().Replace(markdown, "\n").Split('\n').Select(line => Quote().Replace(line, "").Trim());

    private static bool IsRow(string line) => line.StartsWith('|');

    private static string Plain(string text)
    {
        text = Code().Replace(text, "Code");
        text = Link().Replace(text, "${text}");
        text = Tag().Replace(text, " ");
        return text.Replace("**", "", StringComparison.Ordinal);
    }

    private static IEnumerable<string> Split(string text) => End().Split(text).Select(part => part.Trim()).Where(part => WordsOf(part) > 0);

    [GeneratedRegex(@"(?ms)\A---\n.*?^---$|^[ \t]*(?<fence>```+|~~~+).*?^[ \t]*\k<fence>[ \t]*$|<!--.*?-->|^[ \t]*</?[a-z][^>]*>[ \t]*$")]
    private static partial Regex Skipped();

    [GeneratedRegex("</?[a-z][^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"^\s*(?:[-*+]|\d+\.)\s+(?:\[[ x]\]\s+)?")]
    private static partial Regex Item();

    [GeneratedRegex(@"^\s*>\s?")]
    private static partial Regex Quote();

    [GeneratedRegex("`+[^`]*`+")]
    private static partial Regex Code();

    [GeneratedRegex(@"!?\[(?<text>[^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")]
    private static partial Regex Link();

    // A full stop within a version or an address is followed by no space.
    [GeneratedRegex(@"(?<=[.!?][""')\]]?)\s+(?=[""'(\[]?[A-Z0-9])")]
    private static partial Regex End();

    [GeneratedRegex(@"\S*[\p{L}\p{N}]\S*")]
    private static partial Regex Word();
}
