using Dunlin.Apps.Text;
using Dunlin.TestKit;

namespace Dunlin.Warranty.Tests.Text;

public sealed class FoldedTextTests
{
    [Theory]
    [InlineData("АННА", "анна")]
    [InlineData("MÜLLER", "müller")]
    [InlineData("Mu\u0308ller", "M\u00dcLLER")]
    [InlineData("caf\u00e9", "CAFE\u0301")]
    [InlineData("\u212b", "a\u030a")]
    [InlineData("q\u0307\u0323", "Q\u0323\u0307")]
    [InlineData("Stra\u00dfe", "STRASSE")]
    [InlineData("\u1e9e", "ss")]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("οδος", "οδοσ")]
    [InlineData("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af")]
    [InlineData("\ufb01sh", "FISH")]
    [InlineData("\U00010400", "\U00010428")]
    [InlineData("\u0419", "\u0438\u0306")]
    public void Texts_that_differ_in_case_or_composition_fold_alike(string one, string other)
    {
        Assert.Equal(FoldedText.Fold(one), FoldedText.Fold(other));
        Assert.Equal(FoldedText.SortKey(one), FoldedText.SortKey(other));
    }

    [Theory]
    [InlineData("muller", "müller")]
    [InlineData("о", "o")]
    [InlineData("q\u0307", "q\u0323")]
    [InlineData("\u00e9", "e")]
    [InlineData("", " ")]
    public void Texts_that_differ_otherwise_do_not(string one, string other) =>
        Assert.NotEqual(FoldedText.Fold(one), FoldedText.Fold(other));

    [Fact]
    public void A_lone_surrogate_is_tolerated() => Assert.Equal("a\ufffd", FoldedText.Fold("A\ud83d"));

    [Fact]
    public void Keys_sort_as_readers_expect()
    {
        string[] expected =
        [
            "",
            "2 Räder",
            "Ångström",
            "apfel",
            "Äpfel",
            "Apfelbaum",
            "Émile",
            "Emma",
            "łódź",
            "Lodz 2",
            "Muller",
            "Müller",
            "Müllerin",
            "Østberg",
            "Otto",
            "Zoë",
            "Zoé Z",
            "Анна",
            "Ёлка",
            "Елки",
            "Иван",
            "Иоанн",
            "Йошкар",
            "Карл",
        ];
        var random = TestSeed.NewRandom(out _);
        var shuffled = expected.ToArray();
        random.Shuffle(shuffled);
        Assert.Equal(expected, shuffled.OrderBy(FoldedText.SortKey, StringComparer.Ordinal));
    }
}
