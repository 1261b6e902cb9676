using System.Globalization;
using System.Text.RegularExpressions;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Parses amounts in the notations of people and shops: <c>1 299,00 ₽</c>, <c>$1,299.99</c>, <c>1.299,- €</c>, <c>CHF 1'299.50</c>. The
/// number next to a currency sign is the price. Of several the first wins that is not marked as a former price.
/// </summary>
internal static partial class PriceText
{
    private const decimal TooMuch = 1_000_000_000;
    private const int MaxLength = 200;

    // A sign with the value null marks a price without determining the currency, because several countries use it.
    private static readonly Dictionary<string, string?> Signs = new(StringComparer.Ordinal)
    {
        ["US$"] = "USD",
        ["CA$"] = "CAD",
        ["AU$"] = "AUD",
        ["NZ$"] = "NZD",
        ["HK$"] = "HKD",
        ["MX$"] = "MXN",
        ["NT$"] = "TWD",
        ["R$"] = "BRL",
        ["C$"] = "CAD",
        ["A$"] = "AUD",
        ["S$"] = "SGD",
        ["$"] = "USD",
        ["€"] = "EUR",
        ["£"] = "GBP",
        ["¥"] = "JPY",
        ["₽"] = "RUB",
        ["₴"] = "UAH",
        ["₸"] = "KZT",
        ["₹"] = "INR",
        ["₩"] = "KRW",
        ["₺"] = "TRY",
        ["₪"] = "ILS",
        ["฿"] = "THB",
        ["₫"] = "VND",
        ["₱"] = "PHP",
        ["₾"] = "GEL",
        ["֏"] = "AMD",
        ["₼"] = "AZN",
        ["円"] = "JPY",
        ["元"] = "CNY",
        ["원"] = "KRW",
        ["руб"] = "RUB",
        ["рублей"] = "RUB",
        ["р"] = "RUB",
        ["грн"] = "UAH",
        ["тнг"] = "KZT",
        ["лв"] = "BGN",
        ["zł"] = "PLN",
        ["kč"] = "CZK",
        ["Ft"] = "HUF",
        ["Br"] = "BYN",
        ["TL"] = "TRY",
        ["lei"] = "RON",
        ["RM"] = "MYR",
        ["Rp"] = "IDR",
        ["Fr"] = "CHF",
        ["kr"] = null,
        ["Kr"] = null,
        ["Rs"] = null,
    };

    private static readonly HashSet<string> Codes = new(
        (
            "AED AMD ARS AUD AZN BDT BGN BHD BRL BYN CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GEL HKD HUF IDR ILS INR ISK JOD JPY KGS KRW KWD KZT LKR MAD MDL "
            + "MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UZS VND ZAR"
        ).Split(' '),
        StringComparer.Ordinal
    );

    private static readonly HashSet<string> ThreeDecimals = new(["BHD", "JOD", "KWD", "OMR", "TND"], StringComparer.Ordinal);

    /// <summary>Parses an amount.</summary>
    /// <param name="text">The text of the page.</param>
    /// <param name="currency">A currency that the page declares elsewhere. It overrides signs in the text.</param>
    /// <param name="isForMachines">Whether schema.org requires a plain number with a decimal point here.</param>
    public static Money? Parse(string? text, string? currency, bool isForMachines)
    {
        if (text is not { Length: <= MaxLength })
            return null;
        // Normalize no-break and thin spaces, and full-width digits and signs.
        text = Normal(text).Trim();
        var known = Code(currency);
        if (isForMachines && PlainNumber().IsMatch(text))
            return Amount(text, known);
        var numbers = Number().Matches(text);
        if (numbers.Count == 0)
            return null;
        var (number, sign) = Choose(text, numbers);
        var code = known ?? CodeOf(sign);
        return Amount(WithPoint(number.Value, code), code);
    }

    /// <summary>Returns the ISO 4217 code, or null if the text is no known code.</summary>
    public static string? Code(string? text)
    {
        var code = text?.Trim().ToUpperInvariant();
        return code is "RUR" ? "RUB"
            : code is not null && Codes.Contains(code) ? code
            : null;
    }

    private static (Match Number, string? Sign) Choose(string text, MatchCollection numbers)
    {
        (Match Number, string Sign)? former = null;
        var first = 0;
        foreach (Match sign in Sign().Matches(text))
        {
            if (sign.Groups["code"].Success && !Codes.Contains(sign.Value) && sign.Value != "RUR")
                continue;
            var index = Beside(text, numbers, sign, first);
            if (index < 0)
                continue;
            // A sign belongs to one number: the next sign continues after it.
            first = index + 1;
            var number = LowestOf(text, numbers, index);
            if (!Former().IsMatch(text[..number.Index]))
                return (number, sign.Value);
            former ??= (number, sign.Value);
        }
        if (former is { } only)
            return only;
        // Without a sign, a number with decimals is more likely a price than a count.
        return (numbers.FirstOrDefault(static number => WithDecimals().IsMatch(number.Value)) ?? numbers[0], null);
    }

    /// <summary>
    /// Returns the index of the number that a sign belongs to: the nearest neighbour. At equal distance, prefix signs take the number after
    /// them and other signs the number before.
    /// </summary>
    private static int Beside(string text, MatchCollection numbers, Match sign, int from)
    {
        var (best, bestGap) = (-1, int.MaxValue);
        for (var i = from; i < numbers.Count; i++)
        {
            var isBefore = numbers[i].Index < sign.Index;
            var (start, end) = isBefore ? (numbers[i].Index + numbers[i].Length, sign.Index) : (sign.Index + sign.Length, numbers[i].Index);
            if (end < start || !Gap().IsMatch(text[start..end]))
                continue;
            var gap = (2 * (end - start)) + (isBefore == IsPrefix(sign.Value) ? 1 : 0);
            if (gap < bestGap)
                (best, bestGap) = (i, gap);
        }
        return best;
    }

    private static bool IsPrefix(string sign) => sign[^1] is '$' or '£' or '¥' or '₹' or '₩' or '₱' or '฿' || sign is "Rs" or "RM" or "Rp";

    /// <summary>Returns the lower end of a range, such as 10 in <c>10–20 €</c>.</summary>
    private static Match LowestOf(string text, MatchCollection numbers, int index)
    {
        if (index == 0)
            return numbers[index];
        var end = numbers[index - 1].Index + numbers[index - 1].Length;
        return Range().IsMatch(text[end..numbers[index].Index]) ? numbers[index - 1] : numbers[index];
    }

    private static string? CodeOf(string? sign)
    {
        if (sign is null)
            return null;
        if (Signs.TryGetValue(sign, out var code))
            return code;
        return Codes.Contains(sign) ? sign
            : sign == "RUR" ? "RUB"
            : Signs.GetValueOrDefault(sign.ToLowerInvariant());
    }

    private static Money? Amount(string digits, string? code) =>
        decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
        && amount is >= 0 and < TooMuch
            ? new Money(decimal.Round(amount, 3), code)
            : null;

    /// <summary>
    /// Determines the decimal separator: the last separator, if it occurs once and one or two digits follow (three for some currencies).
    /// All other separators group digits.
    /// </summary>
    private static string WithPoint(string number, string? code)
    {
        var last = number.LastIndexOfAny(['.', ',']);
        var isDecimal = false;
        if (last >= 0)
        {
            var after = number.Length - last - 1;
            var once = number.IndexOf(number[last], StringComparison.Ordinal) == last;
            var most = code is not null && ThreeDecimals.Contains(code) ? 3 : 2;
            isDecimal = once && after >= 1 && after <= most && number.AsSpan(last + 1).IndexOfAnyExceptInRange('0', '9') < 0;
        }
        var whole = isDecimal ? number[..last] : number;
        var digits = string.Concat(whole.Where(char.IsAsciiDigit));
        return isDecimal ? $"{digits}.{number[(last + 1)..]}" : digits;
    }

    // Uses its own table, because string normalization needs ICU, which a server may lack.
    private static string Normal(string text) =>
        string.Create(
            text.Length,
            text,
            static (normal, text) =>
            {
                for (var i = 0; i < normal.Length; i++)
                {
                    var c = text[i];
                    normal[i] = c switch
                    {
                        >= '\uFF01' and <= '\uFF5E' => (char)(c - 0xFEE0),
                        '\uFFE5' => '¥',
                        '\uFFE1' => '£',
                        '\uFFE6' => '₩',
                        _ => char.IsWhiteSpace(c) ? ' ' : c,
                    };
                }
            }
        );

    [GeneratedRegex(@"^[0-9]{1,12}(\.[0-9]{1,6})?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PlainNumber();

    // A space groups digits only before exactly three: "2 14,85" is two numbers. Swiss amounts use apostrophes; Indian groups have two
    // digits.
    [GeneratedRegex(@"[0-9]{1,3}( [0-9]{3})+(?![0-9])([.,][0-9]{1,3}(?![0-9]))?|[0-9]+([.,'’][0-9]+)*", RegexOptions.ExplicitCapture)]
    private static partial Regex Number();

    // Matches whole words: "Gift" contains no forint sign. A digit may touch the word: "100Ft".
    [GeneratedRegex(
        @"(?<!\p{L})((US|CA|AU|NZ|HK|MX|NT|R|C|A|S)\$|\$)|[€£¥₽₴₸₹₩₺₪฿₫₱₾֏₼円元원]"
            + @"|(?<!\p{L})((?i:руб|рублей|грн|тнг|лв|zł|kč)|р|Ft|Br|TL|lei|RM|Rp|Fr|kr|Kr|Rs|(?<code>[A-Z]{3}))(?!\p{L})",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Sign();

    // The gap between a number and its sign: "49,- Kč", "1'299.– CHF", "EUR: 5", "kr. 5".
    [GeneratedRegex(@"^[\s.,:*\-–—]{0,5}$", RegexOptions.NonBacktracking)]
    private static partial Regex Gap();

    [GeneratedRegex(
        @"^\s*([-–—~…]|\.\.\.?|to|bis|до|à|a|al|hasta)\s*$",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking
    )]
    private static partial Regex Range();

    // Words for a former price, shortly before the number.
    [GeneratedRegex(
        @"(?<!\p{L})(was|rrp|msrp|srp|uvp|list price|reg\.?|regular( price)?|before|original(ly)?( price)?|old price|instead of|statt|früher|vorher|bisher"
            + @"|au lieu de|prix conseillé|antes|вместо|было|старая цена)[\s:.]*\P{L}{0,3}$",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase
    )]
    private static partial Regex Former();

    [GeneratedRegex(@"[.,][0-9]{2}$", RegexOptions.NonBacktracking)]
    private static partial Regex WithDecimals();
}
