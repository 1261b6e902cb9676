using System.Text.RegularExpressions;

namespace Dunlin.Core.Tests.Style;

/// <summary>
/// Docs, comments, texts and names are plain technical English. Files that do not comply yet stand in not-yet-clean.txt, which only
/// shrinks: <c>DUNLIN_WRITE_DOCS=1</c> removes the files that comply.
/// </summary>
public sealed partial class LanguageTests
{
    private const int MaxAverage = 20;
    private const int MaxWords = 30;
    private const int MaxName = 70;

    private static readonly string[] Code = [".cs", ".svelte", ".ts", ".tsx", ".vue"];

    /// <summary>Phrases that a reader has to read twice, and what to write.</summary>
    private static readonly (Regex Phrase, string Instead)[] Riddles =
    [
        .. new (string Phrase, string Instead)[]
        {
            (
                @"(is|are|was|were|be|been|being|nobody|not) told|told (of|about|to)",
                "notify, report, send: name who sends what to which component"
            ),
            ("let be", "ignore"),
            ("whom", "name the person or component"),
            ("what was missed", "the missed events"),
            ("anew", "again, or from the beginning"),
            ("the last word", "name the message"),
            ("kindness", "name the purpose"),
            ("plausible lie", "a wrong value"),
            ("by chance", "at random"),
            ("who(so)?ever", "name the person or component"),
            ("whatever", "any, or name the thing"),
            ("no such thing", "No {kind} with id '{id}'"),
            ("(go|goes|going|went) on", "continue"),
            ("judge[sd]?|judging", "check, decide, validate"),
            ("torn apart", "split"),
            ("(step|steps|stepped|stepping) over", "skip"),
            ("vanish(es|ed)?", "was lost, was deleted, ended"),
            ("hear|hears|heard", "receive"),
            ("spared", "skipped"),
            ("so many", "write the number, or 'this many'"),
            ("all the same", "nevertheless, or leave it out"),
            ("believed", "trusted, accepted"),
            ("put words into", "forge"),
            ("becomes? of", "name the result"),
            ("whose else", "name the owner"),
            ("borne", "accepted"),
            ("stands? still", "stop, be suspended"),
            ("lies? still", "wait"),
            ("to eyes", "name the reader"),
        }.Select(riddle =>
            (
                new Regex(
                    $@"\b(?:{riddle.Phrase})\b",
                    RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
                ),
                riddle.Instead
            )
        ),
    ];

    [Fact]
    public void Docs_comments_and_texts_use_plain_words() =>
        NotYetClean.Check(
            "words",
            Checkout
                .Files(Code)
                .Where(path => path != "test/Dunlin.Core.Tests/Style/LanguageTests.cs")
                .SelectMany(path =>
                    Checkout
                        .Comments(path)
                        .Concat(IsOwnText(path) ? Checkout.Literals(path) : [])
                        .SelectMany(line => RiddlesIn(line.Text).Select(fault => (path, $"{path}:{line.Line}: {fault}")))
                )
                .Concat(
                    from path in Checkout.Files(".md")
                    let text = Checkout.Read(path)
                    from sentence in Prose.Sentences(text).Concat(Prose.CellSentences(text))
                    from fault in RiddlesIn(sentence)
                    select (path, $"{path}: {fault} in \"{Short(sentence)}\"")
                )
        );

    [Fact]
    public void Sentences_of_docs_are_short() =>
        NotYetClean.Check(
            "sentences",
            from path in Checkout.Files(".md")
            let text = Checkout.Read(path)
            let sentences = Prose.Sentences(text)
            let average = sentences.Count == 0 ? 0 : sentences.Average(Prose.WordsOf)
            from fault in sentences
                .Concat(Prose.CellSentences(text))
                .Where(sentence => Prose.WordsOf(sentence) > MaxWords)
                .Select(sentence => $"{path}: {Prose.WordsOf(sentence)} words, at most {MaxWords}: \"{Short(sentence)}\"")
                .Concat(average > MaxAverage ? [$"{path}: {average:0.0} words a sentence on average, at most {MaxAverage}"] : [])
            select (path, fault)
        );

    [Fact]
    public void Names_of_tests_are_short() =>
        NotYetClean.Check(
            "names",
            from path in Checkout.Files(Code)
            from name in path.EndsWith(".cs", StringComparison.Ordinal) ? CSharpNames(path) : TypeScriptNames(path)
            where name.Length > MaxName
            select (path, $"{path}: {name.Length} characters, at most {MaxName}: {name}")
        );

    [Theory]
    [InlineData("One two. Three `four five` six! See [the seven](eight.md)?", new[] { 2, 3, 3 })]
    [InlineData("# A heading\n\nOne\ntwo.\n\n- Three four\n- Five\n  six\n", new[] { 2, 2, 2 })]
    [InlineData("One.\n\n```sh\nnot a sentence at all\n```\n\n<!-- nor this -->\nTwo 2.5 x.", new[] { 1, 3 })]
    [InlineData("| a | b |\n|---|---|\n| One two. Three. | `four` |", new int[0])]
    [InlineData("> Quoted text.\n1. **Bold** item", new[] { 2, 2 })]
    public void Sentences_are_found_in_Markdown(string markdown, int[] words) =>
        Assert.Equal(words, Prose.Sentences(markdown).Select(Prose.WordsOf));

    [Fact]
    public void Cells_of_tables_are_sentences_of_their_own() =>
        Assert.Equal(
            [1, 1, 2, 1, 1],
            Prose.CellSentences("| a | b |\n|---|---|\n| One two. Three. | `four \\| five` |").Select(Prose.WordsOf)
        );

    [Theory]
    [InlineData("the client is told nothing", true)]
    [InlineData("A node that hears of it.", true)]
    [InlineData("the number is sent", false)]
    [InlineData("the heartbeat of a judgement", false)]
    public void Riddles_are_found_as_whole_words(string text, bool expected) => Assert.Equal(expected, RiddlesIn(text).Any());

    private static IEnumerable<string> RiddlesIn(string text) =>
        from riddle in Riddles
        let match = riddle.Phrase.Match(text)
        where match.Success
        select $"'{match.Value}': write {riddle.Instead}";

    private static string Short(string text) => text.Length <= 100 ? text : text[..100] + "…";

    private static bool IsOwnText(string path) =>
        path.EndsWith(".cs", StringComparison.Ordinal)
        && new[] { "src/", "apps/", "examples/" }.Any(folder => path.StartsWith(folder, StringComparison.Ordinal));

    private static IEnumerable<string> CSharpNames(string path) =>
        TestMethod().Matches(Checkout.Read(path)).Select(match => match.Groups["name"].Value);

    private static IEnumerable<string> TypeScriptNames(string path) =>
        TestCall().Matches(Checkout.Read(path)).Select(match => match.Groups["name"].Value);

    [GeneratedRegex(
        @"^\s*\[(?:Fact|Theory)\b(?:(?!\n\s*public ).)*\n\s*public (?:static )?(?:async )?[\w<>.]+ (?<name>\w+)\(",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex TestMethod();

    [GeneratedRegex(
        @"^\s*(?:test|it)(?:\.each\([^\n]*\))?\(\s*(?<quote>['""`])(?<name>(?:(?!\k<quote>)[^\\\n]|\\.)*)\k<quote>",
        RegexOptions.Multiline
    )]
    private static partial Regex TestCall();
}
