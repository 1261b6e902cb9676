using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Wishlists.Tests.Support;
using Microsoft.Extensions.Options;

namespace Dunlin.Wishlists.Tests.Resolving;

/// <summary>Facts from well-formed and malformed pages.</summary>
public sealed class ReadTests
{
    private static readonly Uri Address = new("https://shop.example.com/kettles/teapot");

    [Fact]
    public void JSON_LD_has_the_highest_confidence()
    {
        var facts = Read(TestSite.Resource("jsonld.html"));
        Assert.Equal(new Fact<string>("Cast iron teapot & lid, 1.2 l", FactSource.JsonLd, 0.95), facts.Title);
        Assert.Equal(new Fact<Money>(new Money(48.90m, "EUR"), FactSource.JsonLd, 0.95), facts.Price);
        Assert.Equal("https://shop.example.com/images/teapot.jpg", facts.Image!.Value);
    }

    [Fact]
    public void OpenGraph_and_its_prices_are_read()
    {
        var facts = Read(TestSite.Resource("opengraph.html"));
        Assert.Equal(new Fact<string>("Наушники Пример X5", FactSource.OpenGraph, 0.75), facts.Title);
        Assert.Equal(new Fact<Money>(new Money(12990m, "RUB"), FactSource.OpenGraph, 0.8), facts.Price);
        Assert.Equal(new Fact<string>("https://cdn.example.com/x5.png", FactSource.OpenGraph, 0.8), facts.Image);
    }

    [Fact]
    public void Microdata_of_the_product_wins_over_shop_and_brand()
    {
        var facts = Read(TestSite.Resource("microdata.html"));
        Assert.Equal(new Fact<string>("Water glass", FactSource.Microdata, 0.85), facts.Title);
        Assert.Equal(new Fact<Money>(new Money(1299.50m, "EUR"), FactSource.Microdata, 0.85), facts.Price);
        Assert.Equal("https://shop.example.com/kettles/glass.webp", facts.Image!.Value);
    }

    [Fact]
    public void A_page_without_metadata_has_its_title()
    {
        var facts = Read(TestSite.Resource("plain.html"));
        Assert.Equal(new Fact<string>("A bird guide", FactSource.Title, 0.5), facts.Title);
        Assert.Equal((null, null), (facts.Price, facts.Image));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("<title>  \u200B </title>")]
    [InlineData("<meta property=og:title>")]
    public void A_page_may_have_no_facts(string html) => Assert.Equal(new PageFacts(null, null, null), Read(html));

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:image/png;base64,AAAA")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://192.168.0.1/reboot")]
    [InlineData("http://127.1/x.png")]
    [InlineData("//[::1]/x.png")]
    [InlineData("http://localhost/x.png")]
    [InlineData("https://user:pass@example.com/x.png")]
    [InlineData("http://")]
    public void An_unsafe_picture_address_is_dropped(string image) =>
        Assert.Null(Read($"<meta property='og:image' content='{image}'>").Image);

    [Theory]
    [InlineData("x.png", "https://shop.example.com/kettles/x.png")]
    [InlineData("/x.png", "https://shop.example.com/x.png")]
    [InlineData("//cdn.example.com/x.png", "https://cdn.example.com/x.png")]
    [InlineData(" http://cdn.example.com/a b.png ", "http://cdn.example.com/a%20b.png")]
    public void A_relative_picture_address_is_resolved(string image, string expected) =>
        Assert.Equal(expected, Read($"<meta property='og:image' content='{image}'>").Image?.Value);

    [Fact]
    public void A_base_element_is_followed_to_page_addresses_only()
    {
        Assert.Equal(
            "https://cdn.example.com/x.png",
            Read("<base href='https://cdn.example.com/'><meta property='og:image' content='x.png'>").Image?.Value
        );
        Assert.Equal(
            "https://shop.example.com/kettles/x.png",
            Read("<base href='javascript:1'><meta property='og:image' content='x.png'>").Image?.Value
        );
    }

    [Fact]
    public void A_title_is_one_line_of_bounded_length()
    {
        Assert.Equal("a b c", Read("<title>a\n\n b\t\u0000\u202Ec</title>").Title!.Value.Replace("\uFFFD", "", StringComparison.Ordinal));
        Assert.Equal(PlainText.MaxTitle, Read($"<title>{new string('x', 10_000)}</title>").Title!.Value.Length);
    }

    [Theory]
    [InlineData("div")]
    [InlineData("b")]
    [InlineData("table><tr><td")]
    [InlineData("svg><g")]
    [InlineData("x-a")]
    [InlineData("p")]
    [InlineData("li")]
    [InlineData("ul><li")]
    [InlineData("template")]
    [InlineData("a")]
    [InlineData("button")]
    public void A_page_of_opening_tags_is_read_quickly(string tag)
    {
        var html = "<title>deep</title>" + string.Concat(Enumerable.Repeat($"<{tag}>", 512 * 1024 / (tag.Length + 2)));
        using var document = PageTree.Parse(html);
        Assert.InRange(PageTree.ElementsOf(document).Count, 1, 4 * PageTree.MaxTags);
        Assert.Equal("deep", Read(html).Title?.Value);
    }

    [Theory]
    [InlineData("a{0} ")]
    [InlineData("a{0}=x ")]
    [InlineData("a{0}='")]
    public void An_element_with_many_attributes_is_read(string attribute)
    {
        // Reading stops at the limit; everything before it counts.
        var attributes = string.Concat(
            Enumerable.Range(0, 60_000).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, attribute, i))
        );
        Assert.Equal("wide", Read($"<title>wide</title><div {attributes}>").Title?.Value);
    }

    [Theory]
    [InlineData("<b><i></b>")]
    [InlineData("<a><table></a>")]
    [InlineData("</p></br>")]
    [InlineData("<!--")]
    [InlineData("<")]
    [InlineData("a<")]
    [InlineData("</")]
    [InlineData("<!")]
    [InlineData("&")]
    [InlineData("<![CDATA[")]
    [InlineData("<script>")]
    [InlineData("<title>")]
    [InlineData("&amp;&#x41;&notit;")]
    [InlineData("<title></title>")]
    [InlineData("<title><title></title>")]
    [InlineData("<textarea>")]
    [InlineData("<svg><title><b>")]
    [InlineData("<svg></svg>")]
    [InlineData("<b>x</b>")]
    [InlineData("<b><p></b>")]
    [InlineData("<a></b>")]
    [InlineData("<table>x")]
    [InlineData("<tr><td>x")]
    [InlineData("<ruby><rt>")]
    [InlineData("<body a=b>")]
    [InlineData("<html a{0}=b>")]
    [InlineData("<a b='")]
    [InlineData("<div a/b/c/d>")]
    [InlineData("<?x?>")]
    [InlineData("</a b c>")]
    [InlineData("\0")]
    [InlineData("<select><option>")]
    [InlineData("<frameset>")]
    public void A_page_with_repeated_markup_is_read(string part)
    {
        var html = "<title>same</title>" + string.Concat(Enumerable.Repeat(part, 512 * 1024 / part.Length));
        Assert.Equal("same", Read(html).Title?.Value);
    }

    [Theory]
    [InlineData("title", "<title>")]
    [InlineData("title", "</")]
    [InlineData("textarea", "<")]
    [InlineData("script", "<script>")]
    [InlineData("script", "<!--<script>")]
    [InlineData("script", "a<b;")]
    [InlineData("style", "<")]
    [InlineData("xmp", "<")]
    [InlineData("noscript", "<")]
    [InlineData("plaintext", "<")]
    [InlineData("svg><style", "<")]
    public void A_page_with_tags_inside_raw_text_is_read(string tag, string part)
    {
        var html = $"<title>same</title><{tag}>{string.Concat(Enumerable.Repeat(part, 400_000 / part.Length))}</{tag}>";
        Assert.Equal("same", Read(html).Title?.Value);
    }

    [Fact]
    public void Formatting_copied_into_every_paragraph_is_bounded()
    {
        var open = string.Concat(Enumerable.Range(0, 4_000).Select(i => $"<b class={i}>"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("same", Read("<title>same</title><p>" + open + string.Concat(Enumerable.Repeat("<p>x", 10_000))).Title?.Value);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 3L * PageTree.MaxBytes);
    }

    [Fact]
    public void Deeply_nested_JSON_is_skipped()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 100_000));
        Assert.Equal("still", Read($"<title>still</title><script type='application/ld+json'>{deep}</script>").Title?.Value);
    }

    [Theory]
    [InlineData("1299", null, "1299")]
    [InlineData("$1,299.99", "USD", "1299.99")]
    [InlineData("1.299,99 €", "EUR", "1299.99")]
    [InlineData("1 299,00 ₽", "RUB", "1299.00")]
    [InlineData("1\u00A0299,00\u00A0руб.", "RUB", "1299.00")]
    [InlineData("1\u202F299 ₽", "RUB", "1299")]
    [InlineData("CHF 1'299.50", "CHF", "1299.50")]
    [InlineData("CHF 1’299.–", "CHF", "1299")]
    [InlineData("49,- Kč", "CZK", "49")]
    [InlineData("£5", "GBP", "5")]
    [InlineData("US$ 12.5", "USD", "12.5")]
    [InlineData("C$ 12.50", "CAD", "12.50")]
    [InlineData("R$ 1.234.567,89", "BRL", "1234567.89")]
    [InlineData("12 345 678", null, "12345678")]
    [InlineData("1,299", null, "1299")]
    [InlineData("1.299 €", "EUR", "1299")]
    [InlineData("1,29 €", "EUR", "1.29")]
    [InlineData("0,5 €", "EUR", "0.5")]
    [InlineData("12.345 KWD", "KWD", "12.345")]
    [InlineData("12,34,567.89 INR", "INR", "1234567.89")]
    [InlineData("¥12,800", "JPY", "12800")]
    [InlineData("from 10.00 to 20.00 EUR", "EUR", "10.00")]
    [InlineData("1299 rur", null, "1299")]
    [InlineData("3 Ausgaben für nur 14,85 EUR", "EUR", "14.85")]
    [InlineData("3 Ausgaben für nur 14,85", null, "14.85")]
    [InlineData("Gift card 25.00", null, "25.00")]
    [InlineData("Gift card 25.00 Ft", "HUF", "25.00")]
    [InlineData("Left 2 | Brown | 12 Br", "BYN", "12")]
    [InlineData("6 ft tall, 25.00", null, "25.00")]
    [InlineData("100Ft", "HUF", "100")]
    [InlineData("1.299,00 €", "EUR", "1299.00")]
    [InlineData("1,299.00 $", "USD", "1299.00")]
    [InlineData("₹1,29,999", "INR", "129999")]
    [InlineData("CHF 1'299.–", "CHF", "1299")]
    [InlineData("kr 1 299", null, "1299")]
    [InlineData("1 299 kr.", null, "1299")]
    [InlineData("US$ 5", "USD", "5")]
    [InlineData("US$\u00A05", "USD", "5")]
    [InlineData("1\u2009299,00\u00A0€", "EUR", "1299.00")]
    [InlineData("2 14,85 EUR", "EUR", "14.85")]
    [InlineData("10 - 20 EUR", "EUR", "10")]
    [InlineData("€10,00 bis €20,00", "EUR", "10.00")]
    [InlineData("$10.00–$20.00", "USD", "10.00")]
    [InlineData("2 for $12.50", "USD", "12.50")]
    [InlineData("-20% 39,99 €", "EUR", "39.99")]
    [InlineData("Was $50.00 Now $35.00", "USD", "35.00")]
    [InlineData("Statt 49,90 € nur 39,90 €", "EUR", "39.90")]
    [InlineData("UVP: 49,90 €", "EUR", "49.90")]
    [InlineData("１２，８００円", "JPY", "12800")]
    [InlineData("ABC 12", null, "12")]
    [InlineData("14,85EUR (3 St.)", "EUR", "14.85")]
    public void Prices_are_read_in_the_notations_of_shops(string text, string? currency, string amount) =>
        Assert.Equal(
            new Money(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), currency),
            PriceText.Parse(text, null, isForMachines: false)
        );

    [Fact]
    public void A_lone_surrogate_beside_a_price_hides_nothing() =>
        Assert.Equal(new Money(5, "EUR"), PriceText.Parse("5 €\ud83d", null, isForMachines: false));

    [Theory]
    [InlineData("1299.5", "eur", "1299.5", "EUR")]
    [InlineData("1.299", "USD", "1.299", "USD")]
    [InlineData("1.299,00", "EUR", "1299.00", "EUR")]
    [InlineData("12990", "RUR", "12990", "RUB")]
    [InlineData("5", "XXX", "5", null)]
    public void Machine_readable_prices_have_a_decimal_point(string text, string currency, string amount, string? code) =>
        Assert.Equal(
            new Money(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), code),
            PriceText.Parse(text, currency, isForMachines: true)
        );

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("free")]
    [InlineData("-")]
    [InlineData("99999999999999999999999999999999999999")]
    public void Text_that_is_no_price_is_ignored(string? text) => Assert.Null(PriceText.Parse(text, "EUR", isForMachines: true));

    private static PageFacts Read(string html) => new PageReader(Options.Create(new FetchOptions())).Read(new FetchedPage(Address, html));
}
