using Dunlin.Mercure.UrlPatterns;

namespace Dunlin.Mercure.Tests.Urls;

public sealed class PatternSequenceTests
{
    private static readonly string[] Pieces = ["/", "a", "b", "/:n", ":n", "/*", "*", ".", "-"];
    private static readonly string[] Values = ["/", "a", "b", "ab", ".", "-", "//", "\n", "é"];

    [Theory]
    [InlineData("/books/:id", true)]
    [InlineData("/:kind/:id", true)]
    [InlineData("/users/1/*", true)]
    [InlineData("/a/:b/c-:d/*", true)]
    [InlineData("/:a-:b", false)]
    [InlineData("/*/a", false)]
    [InlineData("/:a?", false)]
    [InlineData("/{:a}*", false)]
    [InlineData("/(a|b)", false)]
    public void Only_patterns_with_one_way_to_match_need_no_program(string pattern, bool isSequence) =>
        Assert.Equal(isSequence, PatternSequence.Of(Parse(pattern, PatternOptions.Pathname), PatternOptions.Pathname) is not null);

    [Fact]
    public void Random_patterns_match_as_their_program()
    {
        var random = new Random(7);
        var (compared, matched) = (0, 0);
        for (var round = 0; round < 20_000; round++)
        {
            var options = round % 3 == 0 ? PatternOptions.Default : PatternOptions.Pathname;
            var names = 0;
            var text = string.Concat(
                Enumerable.Range(0, random.Next(1, 6)).Select(_ => Pieces[random.Next(Pieces.Length)].Replace("n", $"n{names++}_"))
            );
            List<PatternPart> parts;
            try
            {
                parts = Parse(text, options);
            }
            catch (FormatException)
            {
                continue; // ':' before a character of a name, such as in ':n0_a'
            }
            if (PatternSequence.Of(parts, options) is not { } sequence)
                continue;
            var program = PatternRegex.Compile(parts, options);
            for (var i = 0; i < 20; i++)
            {
                var value = string.Concat(Enumerable.Range(0, random.Next(0, 7)).Select(_ => Values[random.Next(Values.Length)]));
                Assert.True(program.IsMatch(value) == sequence.IsMatch(value), $"'{text}' and '{value}'");
                compared++;
                matched += sequence.IsMatch(value) ? 1 : 0;
            }
        }
        Assert.True(compared > 10_000 && matched > 1_000, $"{matched} of {compared}");
    }

    private static List<PatternPart> Parse(string text, PatternOptions options) =>
        PatternParser.Parse(text, options, static value => value);
}
