using System.Globalization;
using System.Text.RegularExpressions;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads amounts as people and shops write them: <c>1 299,00 ₽</c>, <c>$1,299.99</c>, <c>1.299,- €</c>, <c>CHF 1'299.50</c>.
/// The number beside a currency sign is the price; of several the first that is not called the former one.</summary>
internal static partial class PriceText
{
    private const decimal TooMuch = 1_000_000_000;
    private const int MaxLength = 200;

    // A sign without a code marks the price, and leaves the currency open: several countries use it.
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

    /// <summary>Reads an amount.</summary>
    /// <param name="text">As the page has it.</param>
    /// <param name="currency">The currency that the page names elsewhere; decides over what the text shows.</param>
    /// <param name="isForMachines">Whether the text stands where schema.org wants a plain number with a point.</param>
    public static Money? Parse(string? text, string? currency, bool isForMachines)
    {
        if (text is not { Length: <= MaxLength })
            return null;
        // One form for no-break and thin spaces, and for digits and signs of full width.
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

    /// <summary>The code, where it is one of a currency.</summary>
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
            // A sign belongs to one number: the next one looks further on.
            first = index + 1;
            var number = LowestOf(text, numbers, index);
            if (!Former().IsMatch(text[..number.Index]))
                return (number, sign.Value);
            former ??= (number, sign.Value);
        }
        if (former is { } only)
            return only;
        // Without any sign a number with decimals is rather a price than a count.
        return (numbers.FirstOrDefault(static number => WithDecimals().IsMatch(number.Value)) ?? numbers[0], null);
    }

    /// <summary>The number that a sign belongs to: the nearer of its neighbours; of equals the one before it, but for signs that stand
    /// before numbers.</summary>
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

    /// <summary>The lower end of a range, such as 10 in <c>10–20 €</c>.</summary>
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

    /// <summary>Which of the separators is the decimal one: the last, if it stands once and one or two digits follow (three in
    /// currencies that have so many). Everything else groups.</summary>
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

    // By hand: normalisation needs ICU, which a server may run without.
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

    // Spaces group only where three digits follow: "2 14,85" are two numbers. Apostrophes: Switzerland. Lakhs have groups of two.
    [GeneratedRegex(@"[0-9]{1,3}( [0-9]{3})+(?![0-9])([.,][0-9]{1,3}(?![0-9]))?|[0-9]+([.,'’][0-9]+)*", RegexOptions.ExplicitCapture)]
    private static partial Regex Number();

    // Words are whole: "Gift" has no forint, "brand" no rouble. Whole in the sense of letters, since digits may touch: "100Ft".
    [GeneratedRegex(
        @"(?<!\p{L})((US|CA|AU|NZ|HK|MX|NT|R|C|A|S)\$|\$)|[€£¥₽₴₸₹₩₺₪฿₫₱₾֏₼円元원]"
            + @"|(?<!\p{L})((?i:руб|рублей|грн|тнг|лв|zł|kč)|р|Ft|Br|TL|lei|RM|Rp|Fr|kr|Kr|Rs|(?<code>[A-Z]{3}))(?!\p{L})",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Sign();

    // Between a number and its sign: "49,- Kč", "1'299.– CHF", "EUR: 5", "kr. 5".
    [GeneratedRegex(@"^[\s.,:*\-–—]{0,5}$", RegexOptions.NonBacktracking)]
    private static partial Regex Gap();

    [GeneratedRegex(
        @"^\s*([-–—~…]|\.\.\.?|to|bis|до|à|a|al|hasta)\s*$",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking
    )]
    private static partial Regex Range();

    // What shops call a price that is no longer asked for; it stands shortly before the number.
    [GeneratedRegex(
        @"(?<!\p{L})(was|rrp|msrp|srp|uvp|list price|reg\.?|regular( price)?|before|original(ly)?( price)?|old price|instead of|statt|früher|vorher|bisher"
            + @"|au lieu de|prix conseillé|antes|вместо|было|старая цена)[\s:.]*\P{L}{0,3}$",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase
    )]
    private static partial Regex Former();

    [GeneratedRegex(@"[.,][0-9]{2}$", RegexOptions.NonBacktracking)]
    private static partial Regex WithDecimals();
}
