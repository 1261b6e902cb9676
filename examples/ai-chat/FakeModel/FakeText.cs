namespace FakeModel;

/// <summary>The answers of the fake model: the same question always has the same answer, and no two words of it are equal.</summary>
public static class FakeText
{
    private static readonly string[] Sentences =
    [
        "Dunlins are small waders that breed in the north and spend the winter on muddy coasts.",
        "A flock of thousands turns at the same instant, although no bird leads it.",
        "Each one watches a handful of neighbours, and a change crosses the whole flock faster than any of them flies.",
        "Your pages do the same: every device follows one ordered sequence of events.",
        "Close this page in the middle of a sentence and open it again: nothing is missing and nothing is doubled.",
        "Open it on your phone and press Stop there: the generator ends at once.",
        "Kill the server: after its start the answer continues with the next word.",
    ];

    /// <summary>Returns the answer to a question.</summary>
    public static string AnswerTo(string question)
    {
        var words = $"You asked: “{question.Trim()}” {string.Join(' ', Sentences)}".Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', words);
    }

    /// <summary>Returns the tokens of a text: words with the space before them.</summary>
    public static IEnumerable<string> TokensOf(string text)
    {
        var start = 0;
        while (start < text.Length)
        {
            var end = text.IndexOf(' ', start + 1);
            end = end < 0 ? text.Length : end;
            yield return text[start..end];
            start = end;
        }
    }
}
