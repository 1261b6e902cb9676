using Dunlin.Apps.Text;

namespace Dunlin.Apps.Documents.Search;

/// <summary>A place in a text.</summary>
/// <param name="Line">One-based line.</param>
/// <param name="Column">One-based column in UTF-16 code units.</param>
/// <param name="Before">The text in front of the match, in its line.</param>
/// <param name="Match">The matching text.</param>
/// <param name="After">The text behind the match, in its line.</param>
internal sealed record TextMatch(int Line, int Column, string Before, string Match, string After);

/// <summary>Finds a phrase in the lines of a text.</summary>
internal static class TextMatches
{
    private const int MaxContext = 60;

    /// <summary>Returns the first matches, at most one of each line.</summary>
    /// <param name="text">The text.</param>
    /// <param name="folded">The phrase, folded.</param>
    /// <param name="limit">Maximum of matches to return.</param>
    /// <returns>The matches, and the number of matching lines.</returns>
    public static (IReadOnlyList<TextMatch> First, int Lines) In(string text, string folded, int limit)
    {
        var (first, lines, number) = (new List<TextMatch>(), 0, 0);
        foreach (var range in text.AsSpan().Split('\n'))
        {
            number++;
            var line = text[range].TrimEnd('\r');
            var foldedLine = FoldedText.Fold(line);
            var at = foldedLine.IndexOf(folded, StringComparison.Ordinal);
            if (at < 0)
                continue;
            if (++lines <= limit)
                first.Add(Of(line, number, Position(line, foldedLine, at), Position(line, foldedLine, at + folded.Length)));
        }
        return (first, lines);
    }

    private static TextMatch Of(string line, int number, int from, int to)
    {
        var start = Math.Max(0, from - MaxContext);
        var end = Math.Min(line.Length, to + MaxContext);
        return new TextMatch(
            number,
            from + 1,
            (start > 0 ? "…" : "") + line[start..from].TrimStart(),
            line[from..to],
            line[to..end] + (end < line.Length ? "…" : "")
        );
    }

    // Folding may change the length, so the position is that of the shortest prefix with this folded length.
    private static int Position(string line, string folded, int at)
    {
        if (folded.Length == line.Length)
            return at;
        var (low, high) = (0, line.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (FoldedText.Fold(line[..middle]).Length < at)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
