using System.Text;

namespace Dunlin.Mercure.UrlPatterns;

/// <summary>A set of UTF-16 code units. Immutable; two sets with the same members are equal.</summary>
/// <param name="Ranges">The first and the last unit of each range, in turn: sorted, without overlaps and without neighbours.</param>
internal readonly record struct CharacterSet(string Ranges)
{
    public static readonly CharacterSet Any = new("\0\uffff");

    /// <summary>The class <c>\d</c> of JavaScript.</summary>
    public static readonly CharacterSet Digits = Of("09");

    /// <summary>The class <c>\w</c> of JavaScript.</summary>
    public static readonly CharacterSet WordCharacters = Of("azAZ09__");

    /// <summary>The class <c>\s</c> of JavaScript: white space and line terminators.</summary>
    public static readonly CharacterSet WhiteSpace = Of(
        "\t\r  \u00a0\u00a0\u1680\u1680\u2000\u200a\u2028\u2029\u202f\u202f\u205f\u205f\u3000\u3000\ufeff\ufeff"
    );

    /// <summary>What <c>.</c> does not match.</summary>
    public static readonly CharacterSet LineTerminators = Of("\n\n\r\r\u2028\u2029");

    /// <summary>Returns the set of ranges in any order, which may overlap.</summary>
    /// <param name="pairs">The first and the last unit of each range, in turn.</param>
    public static CharacterSet Of(ReadOnlySpan<char> pairs)
    {
        var ranges = new (char First, char Last)[pairs.Length / 2];
        for (var i = 0; i < ranges.Length; i++)
            ranges[i] = (pairs[2 * i], pairs[2 * i + 1]);
        Array.Sort(ranges);
        var merged = new StringBuilder(pairs.Length);
        foreach (var (first, last) in ranges)
        {
            if (merged.Length == 0 || first > merged[^1] + 1)
                merged.Append(first).Append(last);
            else if (last > merged[^1])
                merged[^1] = last;
        }
        return new CharacterSet(merged.ToString());
    }

    public CharacterSet Complement()
    {
        var result = new StringBuilder(Ranges.Length + 2);
        var next = 0;
        for (var i = 0; i < Ranges.Length; i += 2)
        {
            if (Ranges[i] > next)
                result.Append((char)next).Append((char)(Ranges[i] - 1));
            next = Ranges[i + 1] + 1;
        }
        if (next <= char.MaxValue)
            result.Append((char)next).Append(char.MaxValue);
        return new CharacterSet(result.ToString());
    }
}
