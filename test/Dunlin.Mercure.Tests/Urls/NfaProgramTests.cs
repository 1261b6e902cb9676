using System.Globalization;
using Dunlin.Mercure.UrlPatterns;
using Dunlin.Mercure.Urls;
using Dunlin.TestKit;

namespace Dunlin.Mercure.Tests.Urls;

/// <summary>Compares the automaton with the regular expressions of .NET, and counts its steps and words.</summary>
public sealed class NfaProgramTests
{
    private const string Characters = "aab/.-_09 \n\u2028\u00e9\ufeff";

    private static readonly WebUrl Hub = WebUrl.Parse("https://hub.example.com/.well-known/mercure")!;

    private static readonly string[] Atoms =
    [
        .. (string[])["a", "b", "ab", ".", "/", "-", @"\.", @"\/", @"\d", @"\w", @"\s", @"\D", @"\W", @"\S", @"\x61", @"\u00e9", "^", "$"],
        .. (string[])
            ["[ab]", "[^a]", "[a-z]", @"[\w.]", @"[^\d]", @"[\s-]", "[-a]", @"[^\/]", @"[\u00e0-\uffff]", @"[^\u2000-\u3000]", "[.-9]"],
    ];

    private static readonly string[] Quantifiers = ["", "", "", "*", "+", "?", "{2}", "{1,}", "{0,3}", "{2,3}", "*?", "+?", "??"];

    [Fact]
    public void Random_expressions_match_the_same_texts_as_in_dotnet()
    {
        var random = TestSeed.NewRandom(out var seed);
        var (compared, matched) = (0, 0);
        for (var round = 0; round < 5_000; round++)
        {
            var expression = Expression(random, 3);
            if (CompileWithinLimit(expression) is not { } program)
                continue;
            var reference = ReferenceRegex.Compile(ReferenceRegex.Translate(expression));
            for (var i = 0; i < 20; i++)
            {
                var text = Text(random, Characters, 8);
                var isMatch = reference.IsMatch(text);
                Assert.True(isMatch == program.IsMatch(text), $"DUNLIN_SEED={seed}: '{expression}' and '{text}'");
                compared++;
                matched += isMatch ? 1 : 0;
            }
        }
        Assert.True(compared > 90_000 && matched > 5_000, $"DUNLIN_SEED={seed}: {matched} of {compared}");
    }

    [Fact]
    public void Random_patterns_match_the_same_texts_as_in_dotnet()
    {
        string[] pieces =
        [
            "/",
            "a",
            "b-",
            "/:n",
            ":n",
            "*",
            "/:n?",
            ":n+",
            "{/:n}*",
            "{:n/}+",
            "{-:n(a|b/)-}*",
            "(a+)",
            "/(a|ab)*",
            "{ab}?",
        ];
        var random = TestSeed.NewRandom(out var seed);
        var (compared, matched) = (0, 0);
        for (var round = 0; round < 5_000; round++)
        {
            var options = round % 3 == 0 ? PatternOptions.Default : PatternOptions.Pathname;
            var names = 0;
            var pattern = string.Concat(
                Enumerable.Range(0, random.Next(1, 5)).Select(_ => pieces[random.Next(pieces.Length)].Replace("n", $"n{names++}_"))
            );
            if (pattern.Contains("_a", StringComparison.Ordinal) || pattern.Contains("_b", StringComparison.Ordinal))
                continue; // the letter would belong to the name
            var parts = PatternParser.Parse(pattern, options, static value => value);
            var program = PatternRegex.Compile(parts, options);
            var reference = ReferenceRegex.Compile(parts, options);
            for (var i = 0; i < 20; i++)
            {
                var text = Text(random, "aab//-", 9);
                var isMatch = reference.IsMatch(text);
                Assert.True(isMatch == program.IsMatch(text), $"DUNLIN_SEED={seed}: '{pattern}' and '{text}'");
                compared++;
                matched += isMatch ? 1 : 0;
            }
        }
        Assert.True(compared > 50_000 && matched > 5_000, $"DUNLIN_SEED={seed}: {matched} of {compared}");
    }

    [Theory]
    [InlineData("(?:a+)+b")]
    [InlineData("(?:a*)*(?:a*)*b")]
    [InlineData("(?:a|a)*b")]
    [InlineData("(?:a|aa|aaa|aaaa)+b")]
    [InlineData("(?:(?:(?:a?)*)+)*b")]
    [InlineData("(?:a?){300}a{300}b")]
    [InlineData(".*.*.*.*.*.*.*.*.*.*b")]
    [InlineData("(?:[^b]{1,30}){1,10}b")]
    [InlineData("(?:^|a|$)*b")]
    public void Steps_are_bounded_by_instructions_times_characters(string expression)
    {
        var program = NfaCompiler.Compile(RegexParser.Parse(expression));
        foreach (var length in (int[])[0, 1_000, 2_000, 20_000])
        {
            Assert.False(program.IsMatch(new string('a', length), 0, out var steps));
            Assert.InRange(steps, 0L, program.Size * (length + 1L));
        }
    }

    [Fact]
    public void A_match_allocates_nothing()
    {
        var program = NfaCompiler.Compile(RegexParser.Parse(@"(?:[a-z]+\/)*(?:\w{1,100}|[\u00e0-\uffff])+"));
        var text = string.Concat(Enumerable.Repeat("abc/", 200)) + "end";
        Assert.True(program.IsMatch(text)); // compiled, so that only matches are counted
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            program.IsMatch(text);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    // A reader without a token may send 100 patterns for one stream.
    [Theory]
    [InlineData("/(.{400}.{0,250})")]
    [InlineData("/:name?/{:a/}*{:b/}*{:c/}*")]
    [InlineData("/([^a]{1,400})*")]
    [InlineData("sets")]
    [InlineData("groups")]
    [InlineData("components")]
    public void Programs_of_the_largest_patterns_take_4_KiB(string pattern)
    {
        pattern = pattern switch
        {
            "sets" => "/(" + string.Concat(Enumerable.Range(0, 120).Select(i => $"[^{(char)('a' + i % 26)}\\u{i + 256:x4}]")) + ")",
            "groups" => "/" + string.Concat(Enumerable.Range(0, 170).Select(i => $"{{:g{i}-}}*")),
            "components" => "ht(.{100})://:u?(.{100})-b.(.{100}):(.{100})/(.{100})?(.{100})#(.{100})",
            _ => pattern,
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        var parsed = UrlPattern.Parse(pattern, Hub);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(parsed.ProgramSize, 1, NfaProgram.MaxWords);
        Assert.True(allocated < 1024 * 1024, $"{allocated} bytes to parse {parsed.ProgramSize} words");
    }

    [Theory]
    [InlineData("/(.{1000}.{1000})")]
    [InlineData("/(a{1000000000})")]
    [InlineData("/(a{99999999999999999999,})")]
    [InlineData("/((?:(?:a{99}){99}){99})")]
    [InlineData("/((?:(?:|){999}){999})")]
    [InlineData("/((?:(?:a?){1000}){1000})")]
    [InlineData("/(.{600})?(.{600})")]
    public void Patterns_over_the_limit_are_refused_with_its_value(string pattern)
    {
        var fault = Assert.Throws<FormatException>(() => UrlPattern.Parse(pattern, Hub));
        Assert.Contains(NfaProgram.MaxWords.ToString(CultureInfo.InvariantCulture), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Repetitions_of_nothing_need_no_copies()
    {
        var program = NfaCompiler.Compile(RegexParser.Parse("(?:(?:(?:){1000000}){1000000}){1000000}a"));
        Assert.True(program.IsMatch("a"));
        Assert.False(program.IsMatch(""));
    }

    // Random repetitions inside each other may exceed the limit of words.
    private static NfaProgram? CompileWithinLimit(string expression)
    {
        var node = RegexParser.Parse(expression);
        try
        {
            return NfaCompiler.Compile(node);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // No branch is empty: .NET 10 finds no match of (?:a+|)+ in an empty text. RegexParserTests has such expressions.
    private static string Expression(Random random, int depth)
    {
        var terms = Enumerable
            .Range(0, random.Next(1, 4))
            .Select(_ =>
            {
                if (depth > 0 && random.Next(3) == 0)
                    return $"(?:{Expression(random, depth - 1)}){Quantifiers[random.Next(Quantifiers.Length)]}";
                var atom = Atoms[random.Next(Atoms.Length)];
                return atom is "^" or "$" ? atom : atom + Quantifiers[random.Next(Quantifiers.Length)];
            });
        var sequence = string.Concat(terms);
        return random.Next(4) == 0 ? $"{sequence}|{Expression(random, depth - 1)}" : sequence;
    }

    private static string Text(Random random, string characters, int length) =>
        string.Concat(Enumerable.Range(0, random.Next(length)).Select(_ => characters[random.Next(characters.Length)]));
}
