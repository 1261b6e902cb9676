using Dunlin.Mercure.UrlPatterns;

namespace Dunlin.Mercure.Tests.Urls;

/// <summary>The syntax of groups. Answers are those of JavaScript with the flag <c>v</c>, except where a test says otherwise.</summary>
public sealed class RegexParserTests
{
    [Theory]
    [InlineData("", "", "a")]
    [InlineData("a|", " a", "b aa")]
    [InlineData("ab|cd|e", "ab cd e", "a abcd abe")]
    [InlineData("(?:a+|)+b?", " a aab b", "ba")]
    [InlineData("(?:|a+)*(?:b{0}|c)+", " a c acc", "b ca")]
    [InlineData("a{2}", "aa", "a aaa")]
    [InlineData("a{2,}", "aa aaaa", "a")]
    [InlineData("a{0,2}b", "b ab aab", "aaab")]
    [InlineData("a{2,3}?", "aa aaa", "a aaaa")]
    [InlineData("(?:ab)+?", "ab abab", "a aba")]
    [InlineData("^a$", "a", "aa")]
    [InlineData("(?:^a|b)*", " a ab abb", "aa ba")]
    [InlineData("a.c", "abc a/c aéc", "a\nc a\u2028c ac")]
    [InlineData(@"\d\D\w\W", "1a_-", "aa_- 11_- 1a-- 1a__")]
    [InlineData(@"a\sb\S", "a\tbx a\u00a0bx a\ufeffbx", "axbx a\u0085bx")]
    [InlineData(@"[\w\-.]+", "a-b.c", "a/b")]
    [InlineData(@"[^\d]", "a é", "1 aa")]
    [InlineData(@"[\]\\\[^]", "] \\ [ ^", "a")]
    [InlineData(@"[\x61-\u0063]", "a b c", "d")]
    [InlineData(@"[.*+?$^]", ". * + ? $ ^", "a")]
    [InlineData(@"\(\)\[\]\{\}\*\+\?\.\/\|\^\$\\", @"()[]{}*+?./|^$\", "a")]
    [InlineData("[a-zA-Z]", "a Z", "[ 1")]
    [InlineData(@"[\u4e00-\u9fff\u3040-\u30ff]", "\u4e00 \u3042", "a \u3000 \ua000")]
    public void Supported_syntax_matches_as_in_browsers(string expression, string matching, string others)
    {
        var program = NfaCompiler.Compile(RegexParser.Parse(expression));
        Assert.All(matching.Split(' '), text => Assert.True(program.IsMatch(text), $"'{text}'"));
        Assert.All(others.Split(' '), text => Assert.False(program.IsMatch(text), $"'{text}'"));
    }

    [Theory]
    [InlineData("*a")]
    [InlineData("a|+")]
    [InlineData("a**")]
    [InlineData("a{2}{3}")]
    [InlineData("a+?+")]
    [InlineData("^*")]
    [InlineData("a${2}")]
    [InlineData("a{")]
    [InlineData("a{,3}")]
    [InlineData("a{2,1}")]
    [InlineData("a{x}")]
    [InlineData("a}")]
    [InlineData("a]")]
    [InlineData("(?:a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("[b-a]")]
    [InlineData(@"[\w-z]")]
    [InlineData(@"[a-\d]")]
    [InlineData("[(]")]
    [InlineData("[a/b]")]
    [InlineData("\\")]
    [InlineData(@"\u12")]
    public void Faulty_syntax_is_refused_as_in_browsers(string expression) =>
        Assert.Throws<FormatException>(() => RegexParser.Parse(expression));

    // Browsers accept these. Sets of strings and conditions on the text around them need more than an automaton of characters.
    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(?<=a)")]
    [InlineData("(?<n>a)")]
    [InlineData("(a)")]
    [InlineData("(?i:a)")]
    [InlineData(@"\ba")]
    [InlineData(@"\p{L}")]
    [InlineData(@"\cA")]
    [InlineData(@"\0")]
    [InlineData(@"\u{61}")]
    [InlineData("[[a]b]")]
    [InlineData("[a--b]")]
    [InlineData(@"[\w--\d]")]
    [InlineData(@"[\w&&\d]")]
    [InlineData("[a&&b]")]
    [InlineData(@"[\q{ab}]")]
    [InlineData(@"[\D]")]
    [InlineData("[]")]
    [InlineData("[^]")]
    public void Unsupported_syntax_is_refused(string expression)
    {
        var fault = Assert.Throws<FormatException>(() => RegexParser.Parse(expression));
        Assert.EndsWith("is not supported.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Groups_that_nest_too_deeply_are_refused()
    {
        Assert.NotNull(RegexParser.Parse(Nested(RegexParser.MaxDepth)));
        Assert.Throws<FormatException>(() => RegexParser.Parse(Nested(RegexParser.MaxDepth + 1)));
        Assert.Throws<FormatException>(() => RegexParser.Parse(Nested(100_000)));

        static string Nested(int depth) => string.Concat(Enumerable.Repeat("(?:", depth)) + "a" + new string(')', depth);
    }
}
