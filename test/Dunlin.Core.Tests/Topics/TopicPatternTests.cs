using Dunlin.Topics;

namespace Dunlin.Core.Tests.Topics;

public sealed class TopicPatternTests
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/bc", false)]
    [InlineData("a/b", "a", false)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b", "A/b", false)]
    [InlineData("a/*", "a/b", true)]
    [InlineData("a/*", "a/b/c", false)]
    [InlineData("a/*", "a", false)]
    [InlineData("*/b", "a/b", true)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a/b", false)]
    [InlineData("**", "a", true)]
    [InlineData("**", "a/b/c", true)]
    [InlineData("a/**", "a/b", true)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "a", false)]
    [InlineData("a/**", "ab/c", false)]
    [InlineData("a/*/**", "a/b", false)]
    [InlineData("a/*/**", "a/b/c", true)]
    [InlineData("a/%2F", "a/%2F", true)]
    [InlineData("a/%2F", "a/%2f", false)]
    public void A_pattern_covers_whole_segments(string pattern, string name, bool covers) =>
        Assert.Equal(covers, TopicPattern.Parse(pattern).Covers(name));

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a*")]
    [InlineData("*a")]
    [InlineData("***")]
    [InlineData("**/a")]
    [InlineData("a/**/b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("ü")]
    [InlineData("a/{b}")]
    public void What_is_no_pattern_is_refused(string? text)
    {
        Assert.Throws<FormatException>(() => TopicPattern.Parse(text));
        Assert.False(TopicPattern.TryParse(text, out _));
    }

    /// <summary>Held against a definition that could not be simpler: a regular expression of the segments.</summary>
    [Fact]
    public void Patterns_agree_with_their_definition_on_random_names()
    {
        var random = TestKit.TestSeed.NewRandom(out var seed);
        string[] words = ["a", "b", "ab", "%2F", "."];
        for (var round = 0; round < 20_000; round++)
        {
            var name = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => words[random.Next(words.Length)]));
            var parts = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(3) == 0 ? "*" : words[random.Next(words.Length)]).ToList();
            if (random.Next(3) == 0)
                parts[^1] = "**";
            var pattern = string.Join('/', parts);
            var expression = string.Join('/', parts.Select(part => part switch { "*" => "[^/]+", "**" => ".+", _ => System.Text.RegularExpressions.Regex.Escape(part) }));
            var expected = System.Text.RegularExpressions.Regex.IsMatch(name, $@"\A{expression}\z");
            Assert.True(expected == TopicPattern.Parse(pattern).Covers(name), $"seed {seed}: '{pattern}' and '{name}'");
        }
    }
}
