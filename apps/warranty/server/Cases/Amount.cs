using System.Globalization;
using System.Text.RegularExpressions;

namespace Dunlin.Apps.Warranty.Cases;

/// <summary>
/// Parses typed amounts of money: a comma or a point before the decimals, and groups of three digits separated by the other one, by spaces
/// or by apostrophes.
/// </summary>
internal static partial class Amount
{
    /// <summary>Parses a non-negative amount. Returns false if the text is no amount or ambiguous: <c>1,234</c>.</summary>
    public static bool TryRead(string text, out decimal amount)
    {
        amount = 0;
        if (Typed().Match(text.Trim()) is not { Success: true } match)
            return false;
        var (whole, decimals) = (match.Groups["whole"].Value, match.Groups["decimals"].Value);
        var digits = string.Concat(whole.Where(char.IsAsciiDigit));
        return decimal.TryParse($"{digits}.{decimals}0", NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out amount);
    }

    // Groups have three digits and one separator, which differs from the decimal separator. A single point or comma before three digits is
    // ambiguous, so it is rejected.
    [GeneratedRegex(
        """
            ^(?:
              (?<whole>[0-9]{1,20})
              | (?<whole>[0-9]{1,3}(?<group>[.,])[0-9]{3}(?:\k<group>[0-9]{3})*)(?=(?!\k<group>)[.,]|(?<=[.,][0-9]{3}[.,][0-9]{3})$)
              | (?<whole>[0-9]{1,3}(?<space>[\ \u00A0\u2009\u202F'\u2019])[0-9]{3}(?:\k<space>[0-9]{3})*)
            )(?:[.,](?<decimals>[0-9]{0,2}))?$
            """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Typed();
}
