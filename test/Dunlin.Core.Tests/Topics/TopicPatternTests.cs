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
    public void A_pattern_matches_whole_segments(string pattern, string name, bool covers) =>
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
    public void An_invalid_pattern_is_refused(string? text)
    {
        Assert.Throws<FormatException>(() => TopicPattern.Parse(text));
        Assert.False(TopicPattern.TryParse(text, out _));
    }

    /// <summary>Compares with the simplest definition, a regular expression per segment.</summary>
    [Fact]
    public void Patterns_match_their_definition_on_random_names()
    {
        var random = TestKit.TestSeed.NewRandom(out var seed);
        string[] words = ["a", "b", "ab", "%2F", "."];
        for (var round = 0; round < 20_000; round++)
        {
            var name = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => words[random.Next(words.Length)]));
            var parts = Enumerable
                .Range(0, random.Next(1, 5))
                .Select(_ => random.Next(3) == 0 ? "*" : words[random.Next(words.Length)])
                .ToList();
            if (random.Next(3) == 0)
                parts[^1] = "**";
            var pattern = string.Join('/', parts);
            var expression = string.Join(
                '/',
                parts.Select(part =>
                    part switch
                    {
                        "*" => "[^/]+",
                        "**" => ".+",
                        _ => System.Text.RegularExpressions.Regex.Escape(part),
                    }
                )
            );
            var expected = System.Text.RegularExpressions.Regex.IsMatch(name, $@"\A{expression}\z");
            Assert.True(expected == TopicPattern.Parse(pattern).Covers(name), $"seed {seed}: '{pattern}' and '{name}'");
        }
    }

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/*", "a/b", true)]
    [InlineData("a/*", "a/*", true)]
    [InlineData("a/*", "a/*/c", false)]
    [InlineData("a/*", "a/**", false)]
    [InlineData("a/*", "*/b", false)]
    [InlineData("a/**", "a/*", true)]
    [InlineData("a/**", "a/**", true)]
    [InlineData("a/**", "a/*/**", true)]
    [InlineData("a/**", "a", false)]
    [InlineData("a/**", "*/b", false)]
    [InlineData("a/*/**", "a/**", false)]
    [InlineData("a/*/**", "a/*/*", true)]
    [InlineData("*/b", "a/b", true)]
    [InlineData("*/b", "*/*", false)]
    [InlineData("**", "*", true)]
    [InlineData("**", "**", true)]
    [InlineData("*", "**", false)]
    [InlineData("users/1/**", "users/10/**", false)]
    [InlineData("users/1/**", "Users/1/**", false)]
    public void A_pattern_covers_another_when_it_matches_all_its_names(string pattern, string other, bool covers) =>
        Assert.Equal(covers, TopicPattern.Parse(pattern).CoversAll(TopicPattern.Parse(other)));

    /// <summary>Compares with all names of up to four segments, which suffice to tell patterns apart.</summary>
    [Fact]
    public void Cover_and_overlap_match_their_definition_on_random_patterns()
    {
        var random = TestKit.TestSeed.NewRandom(out var seed);
        // "z" occurs in no pattern and represents all segments that only '*' matches.
        string[] words = ["a", "b", "z"];
        var names = new List<string>();
        foreach (var _ in Enumerable.Range(0, 4))
            names.AddRange(words.Concat(names.SelectMany(name => words.Select(word => $"{name}/{word}"))).Except(names).ToList());
        for (var round = 0; round < 5_000; round++)
        {
            var (one, other) = (TopicPattern.Parse(Random()), TopicPattern.Parse(Random()));
            var covers = names.Where(name => other.Covers(name)).All(name => one.Covers(name));
            Assert.True(covers == one.CoversAll(other), $"seed {seed}: '{one}' and '{other}'");
            var prefix = names[random.Next(names.Count)];
            if (prefix.Count(letter => letter == '/') < 2)
                Assert.True(
                    names.Any(name => one.Covers(name) && NamePrefix.Covers(prefix, name)) == one.Meets(prefix),
                    $"seed {seed}: '{one}' meets '{prefix}'"
                );
            Assert.All(
                names.Where(name => one.Covers(name)),
                name =>
                {
                    Assert.True(NamePrefix.Covers(one.Prefix, name), $"seed {seed}: '{name}' of '{one}'");
                    Assert.True(
                        string.CompareOrdinal(one.Range.From, name) <= 0 && string.CompareOrdinal(name, one.Range.To) < 0,
                        $"seed {seed}: '{name}' of '{one}'"
                    );
                }
            );
        }

        string Random()
        {
            var parts = Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(2) == 0 ? "*" : words[random.Next(2)]).ToList();
            if (random.Next(3) == 0)
                parts[^1] = "**";
            return string.Join('/', parts);
        }
    }
}
