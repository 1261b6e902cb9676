using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Dunlin.Apps.Text;

/// <summary>
/// Folds text for comparisons without case and Unicode composition, so that a search finds the same text in another notation. The tables
/// are in this assembly, so all nodes and both databases compare alike. The runtime's tables are empty in invariant mode, and those of a
/// database depend on its collation. Thread-safe.
/// </summary>
/// <remarks>Unicode Standard, section 3.13, D145 (canonical caseless matching) and section 3.12 (Hangul).</remarks>
public static class FoldedText
{
    private const char PrimaryEnd = '\u0001';
    private const int HangulBase = 0xAC00,
        HangulCount = 11_172,
        LeadBase = 0x1100,
        VowelBase = 0x1161,
        TailBase = 0x11A7;
    private const int VowelCount = 21,
        TailCount = 28;

    // The Cyrillic short I is a separate letter, not an accented I.
    private const int CyrillicI = 0x438,
        Breve = 0x306;
    private const char AfterAllLetters = '\uFFFD';

    // Letters without a decomposition that sort beside their base letter (CLDR root collation).
    private static readonly FrozenDictionary<int, string> BaseLetters = new Dictionary<int, string>
    {
        ['æ'] = "ae",
        ['œ'] = "oe",
        ['ø'] = "o",
        ['đ'] = "d",
        ['ð'] = "d",
        ['ħ'] = "h",
        ['ı'] = "i",
        ['ł'] = "l",
        ['þ'] = "th",
        ['ŧ'] = "t",
    }.ToFrozenDictionary();

    private static readonly Lazy<(FrozenDictionary<int, int[]> Folding, FrozenDictionary<int, byte> Classes)> Tables = new(Load);

    /// <summary>
    /// Returns the folded text. Texts that differ in case or composition only have the same folded text. It is decomposed (NFD), so a
    /// search for a plain letter finds the accented one, but not the reverse.
    /// </summary>
    public static string Fold(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Ascii.IsValid(text))
            return text.ToLowerInvariant();
        var runes = FoldRunes(text);
        var folded = new StringBuilder(runes.Count);
        foreach (var (rune, _) in runes)
            Append(folded, rune);
        return folded.ToString();
    }

    /// <summary>
    /// Returns a key that sorts by code points: letters without case and accents first, then accents. Contains the control character
    /// U+0001. Two texts have the same key if they differ in case or composition only.
    /// </summary>
    public static string SortKey(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (key, folded) = (new StringBuilder(), new StringBuilder());
        var before = 0;
        foreach (var (rune, combiningClass) in FoldRunes(text.Trim()))
        {
            Append(folded, rune);
            if (combiningClass == 0 && BaseLetters.TryGetValue(rune, out var letters))
                key.Append(letters);
            else if (combiningClass == 0)
                Append(key, rune);
            else if (rune == Breve && before == CyrillicI)
                key.Append(AfterAllLetters);
            before = rune;
        }
        return key.Append(PrimaryEnd).Append(folded).ToString();
    }

    private static List<(int Rune, byte Class)> FoldRunes(string text)
    {
        var (folding, classes) = Tables.Value;
        var runes = new List<(int Rune, byte Class)>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii)
                Add(Rune.ToLowerInvariant(rune).Value);
            else if (folding.TryGetValue(rune.Value, out var folded))
                Array.ForEach(folded, Add);
            else if (rune.Value - HangulBase is >= 0 and < HangulCount and var syllable)
                AddHangul(syllable);
            else
                Add(rune.Value);
        }
        return runes;

        void Add(int rune)
        {
            var combiningClass = classes.GetValueOrDefault(rune);
            var at = runes.Count;
            // Canonical order: sort marks by class and keep the order within a class.
            while (combiningClass != 0 && at > 0 && runes[at - 1].Class > combiningClass)
                at--;
            runes.Insert(at, (rune, combiningClass));
        }

        void AddHangul(int syllable)
        {
            Add(LeadBase + (syllable / (VowelCount * TailCount)));
            Add(VowelBase + (syllable % (VowelCount * TailCount) / TailCount));
            if (syllable % TailCount is > 0 and var tail)
                Add(TailBase + tail);
        }
    }

    private static void Append(StringBuilder text, int rune)
    {
        Span<char> utf16 = stackalloc char[2];
        text.Append(utf16[..new Rune(rune).EncodeToUtf16(utf16)]);
    }

    private static (FrozenDictionary<int, int[]> Folding, FrozenDictionary<int, byte> Classes) Load()
    {
        var (folding, classes) = (new Dictionary<int, int[]>(), new Dictionary<int, byte>());
        using var reader = new StreamReader(typeof(FoldedText).Assembly.GetManifestResourceStream("folding.txt")!);
        while (reader.ReadLine() is { } line)
        {
            if (line.Split('=') is [var from, var to] && line[0] != '#')
                folding.Add(Hex(from), [.. to.Split(' ').Select(Hex)]);
            else if (line.Split('-', ':') is [var first, var last, var combiningClass] && line[0] != '#')
            {
                for (var rune = Hex(first); rune <= Hex(last); rune++)
                    classes.Add(rune, byte.Parse(combiningClass, CultureInfo.InvariantCulture));
            }
        }
        return (folding.ToFrozenDictionary(), classes.ToFrozenDictionary());
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
