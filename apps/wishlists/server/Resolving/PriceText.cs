using System.Globalization;
using System.Text.RegularExpressions;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Reads amounts as people and shops write them: <c>1 299,00 ₽</c>, <c>$1,299.99</c>, <c>1.299,- €</c>, <c>CHF 1'299.50</c>.</summary>
internal static partial class PriceText
{
    private const decimal TooMuch = 1_000_000_000;

    // Longest first: "US$" before "$".
    private static readonly (string Sign, string Code)[] Signs =
    [
        ("руб", "RUB"), ("грн", "UAH"), ("тнг", "KZT"), ("US$", "USD"), ("CA$", "CAD"), ("AU$", "AUD"), ("NZ$", "NZD"), ("HK$", "HKD"), ("MX$", "MXN"),
        ("R$", "BRL"), ("C$", "CAD"), ("A$", "AUD"), ("S$", "SGD"), ("zł", "PLN"), ("Kč", "CZK"), ("Ft", "HUF"), ("лв", "BGN"), ("Br", "BYN"),
        ("€", "EUR"), ("£", "GBP"), ("¥", "JPY"), ("₽", "RUB"), ("₴", "UAH"), ("₸", "KZT"), ("₹", "INR"), ("₩", "KRW"), ("₺", "TRY"), ("₪", "ILS"),
        ("฿", "THB"), ("₫", "VND"), ("₱", "PHP"), ("₾", "GEL"), ("֏", "AMD"), ("₼", "AZN"), ("$", "USD"),
    ];

    private static readonly HashSet<string> Codes = new(
        ("AED AMD ARS AUD AZN BDT BGN BHD BRL BYN CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GEL HKD HUF IDR ILS INR ISK JOD JPY KGS KRW KWD KZT LKR MAD MDL " +
        "MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UZS VND ZAR").Split(' '),
        StringComparer.Ordinal);

    private static readonly HashSet<string> ThreeDecimals = new(["BHD", "JOD", "KWD", "OMR", "TND"], StringComparer.Ordinal);

    /// <summary>Reads an amount.</summary>
    /// <param name="text">As the page has it.</param>
    /// <param name="currency">The currency that the page names elsewhere; decides over what the text shows.</param>
    /// <param name="isForMachines">Whether the text stands where schema.org wants a plain number with a point.</param>
    public static Money? Parse(string? text, string? currency, bool isForMachines)
    {
        if (text is not { Length: <= 200 })
            return null;
        var code = Code(currency) ?? CodeIn(text);
        if (isForMachines && PlainNumber().IsMatch(text.Trim()))
            return Amount(text.Trim(), code);
        var match = Number().Match(text);
        return match.Success ? Amount(Normalise(match.Value, code), code) : null;
    }

    /// <summary>The code, where it is one of a currency.</summary>
    public static string? Code(string? text)
    {
        var code = text?.Trim().ToUpperInvariant();
        return code is "RUR" ? "RUB" : code is not null && Codes.Contains(code) ? code : null;
    }

    private static string? CodeIn(string text)
    {
        foreach (Match word in Word().Matches(text))
        {
            if (Code(word.Value) is { } code && word.Value == word.Value.ToUpperInvariant())
                return code;
        }
        foreach (var (sign, code) in Signs)
        {
            if (text.Contains(sign, StringComparison.OrdinalIgnoreCase))
                return code;
        }
        return null;
    }

    private static Money? Amount(string digits, string? code) =>
        decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && amount is >= 0 and < TooMuch
            ? new Money(decimal.Round(amount, 3), code)
            : null;

    /// <summary>Which of the separators is the decimal one: the last, if it stands once and one or two digits follow (three in
    /// currencies that have so many). Everything else groups.</summary>
    private static string Normalise(string number, string? code)
    {
        var text = number.Trim().TrimEnd('.', ',', '-', '–', '—');
        var last = text.LastIndexOfAny(['.', ',']);
        var isDecimal = false;
        if (last >= 0)
        {
            var after = text.Length - last - 1;
            var once = text.IndexOf(text[last], StringComparison.Ordinal) == last;
            var most = code is not null && ThreeDecimals.Contains(code) ? 3 : 2;
            isDecimal = once && after >= 1 && after <= most && text.AsSpan(last + 1).IndexOfAnyExceptInRange('0', '9') < 0;
        }
        var whole = isDecimal ? text[..last] : text;
        var digits = string.Concat(whole.Where(char.IsAsciiDigit));
        return isDecimal ? $"{digits}.{text[(last + 1)..]}" : digits;
    }

    [GeneratedRegex(@"^[0-9]{1,12}(\.[0-9]{1,6})?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PlainNumber();

    // White space as shops group with: space, no-break, narrow no-break, thin. Apostrophes: Switzerland.
    [GeneratedRegex(@"[0-9]([0-9.,'’ \u00A0\u202F\u2009]*[0-9])?", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Number();

    [GeneratedRegex(@"\b[A-Za-z]{3}\b")]
    private static partial Regex Word();
}
