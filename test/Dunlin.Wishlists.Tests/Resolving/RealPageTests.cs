using Dunlin.Apps.Wishlists.Resolving;
using Microsoft.Extensions.Options;

namespace Dunlin.Wishlists.Tests.Resolving;

/// <summary>Pages as shops write them, read as browsers and search engines do.</summary>
public sealed class RealPageTests
{
    private const string Product = """{"@type":"Product","name":"Teapot","offers":{"price":"48.90","priceCurrency":"EUR"}}""";

    private static readonly Uri Address = new("https://shop.example.com/kettles/teapot");

    public static TheoryData<string, string> Scripts =>
        new()
        {
            { "application/ld+json", Product },
            { "application/ld+json; charset=utf-8", Product },
            { " Application/LD+JSON ;charset=UTF-8", Product },
            { "application/ld+json", Product + ";" },
            { "application/ld+json", Product + "\n;\n" },
            { "application/ld+json", "<!--\n" + Product + "\n-->" },
            { "application/ld+json", "<!-- " + Product + " //-->" },
            { "application/ld+json", "//<![CDATA[\n" + Product + "\n//]]>" },
            { "application/ld+json", "/*<![CDATA[*/" + Product + "/*]]>*/" },
            { "application/ld+json", "<![CDATA[" + Product + "]]>" },
            { "application/ld+json", "\uFEFF" + Product },
            {
                "application/ld+json",
                Product.Replace("\"Teapot\"", "\"Teapot\",\"description\":\"two\nlines\tand a tab\r\n\"", StringComparison.Ordinal)
            },
            {
                "application/ld+json",
                Product.Replace("\"Teapot\"", "\"Teapot\",\"description\":\"it\\'s \\x wrong\"", StringComparison.Ordinal)
            },
            {
                "application/ld+json",
                Product.Replace("\"Teapot\"", "\"Teapot\",\"description\":\"half \\ud83d and \\udca9\"", StringComparison.Ordinal)
            },
            { "application/ld+json", Product.Replace("\"@type\"", "\"half \\ud83d\":1,\"@type\"", StringComparison.Ordinal) },
            { "application/ld+json", Product.Replace("\"", "&quot;", StringComparison.Ordinal) },
            { "application/ld+json", "{\"@type\":\"Organization\"} " + Product },
            { "application/ld+json", Product + " this is no JSON" },
            { "application/ld+json", "[" + Product + ",]" },
            { "application/ld+json", "{\"@context\":\"https://schema.org\",\"@graph\":[{\"@type\":\"WebPage\"}," + Product + "]}" },
            {
                "application/ld+json",
                Product.Replace("\"Product\"", "[\"Thing\",\"http://schema.org/Product\"]", StringComparison.Ordinal)
            },
            { "application/ld+json", Offers("""[{"price":0},{"price":48.9,"priceCurrency":"EUR"},{"price":60,"priceCurrency":"EUR"}]""") },
            { "application/ld+json", Offers("""{"@type":"AggregateOffer","lowPrice":"48.90","highPrice":"60","priceCurrency":"EUR"}""") },
            { "application/ld+json", Offers("""{"@type":"AggregateOffer","priceCurrency":"EUR","offers":[{"price":"48.90"}]}""") },
            { "application/ld+json", Offers("""{"priceSpecification":{"price":48.90,"priceCurrency":"EUR"}}""") },
            {
                "application/ld+json",
                Offers(
                    """{"priceSpecification":[{"priceType":"https://schema.org/ListPrice","price":60,"priceCurrency":"EUR"},{"price":48.90,"priceCurrency":"EUR"}]}"""
                )
            },
            {
                "application/ld+json",
                Offers(
                    """{"priceSpecification":[{"priceType":"StrikethroughPrice","price":60,"priceCurrency":"EUR"},{"priceType":"SalePrice","price":48.90,"priceCurrency":"EUR"}]}"""
                )
            },
            {
                "application/ld+json",
                Offers(
                    """{"priceSpecification":[{"price":4.8,"priceCurrency":"EUR","referenceQuantity":{"value":100}},{"price":48.9,"priceCurrency":"EUR"}]}"""
                )
            },
        };

    [Theory]
    [MemberData(nameof(Scripts))]
    public void JSON_LD_is_read_as_search_engines_do(string type, string script)
    {
        var facts = Read($"<title>Shop</title><script type='{type}'>{script}</script>");
        Assert.Equal(("Teapot", 48.90m, "EUR"), (facts.Title?.Value, facts.Price?.Value.Amount, facts.Price?.Value.Currency));
    }

    [Fact]
    public void A_broken_block_does_not_hide_the_others()
    {
        var facts = Read($"<script type=application/ld+json>{{\"@type\":</script><script type=application/ld+json>{Product}</script>");
        Assert.Equal("Teapot", facts.Title?.Value);
    }

    [Theory]
    [InlineData("<s itemprop=price>60</s><b itemprop=price>48.90</b>")]
    [InlineData("<del><span itemprop=price>60</span></del><b itemprop=price>48.90</b>")]
    [InlineData("<span class='old-price' itemprop=price>60</span><b itemprop=price>48.90</b>")]
    [InlineData("<div class='price price--old'><span itemprop=price content=60></span></div><b itemprop=price>48.90</b>")]
    [InlineData("<div class='oldPrice'><span itemprop=price content=60></span></div><b itemprop=price>48.90</b>")]
    [InlineData("<span style='text-decoration: line-through' itemprop=price>60</span><b itemprop=price>48.90</b>")]
    [InlineData("<b itemprop=price><del>60,00 €</del> 48,90 €</b>")]
    [InlineData("<b itemprop=price><span class=compare-at-price>60,00 €</span> 48,90 €</b>")]
    [InlineData("<b class='gold-price threshold-price' itemprop=price>48.90</b>")]
    public void A_crossed_out_price_is_ignored(string price)
    {
        var facts = Read($"<div itemscope itemtype=https://schema.org/Offer><meta itemprop=priceCurrency content=EUR>{price}</div>");
        Assert.Equal(new Money(48.90m, "EUR"), facts.Price?.Value);
    }

    [Fact]
    public void The_OpenGraph_sale_price_wins_over_the_list_price()
    {
        var facts = Read(
            "<meta property=product:price:amount content=60><meta property=product:price:currency content=EUR>"
                + "<meta property=product:sale_price:amount content=48.90><meta property=product:sale_price:currency content=EUR>"
        );
        Assert.Equal(new Money(48.90m, "EUR"), facts.Price?.Value);
    }

    [Theory]
    [InlineData("600 self-closing elements", "<svg>{600:<path/>}</svg>")]
    [InlineData("600 elements with attributes", "<svg viewBox='0 0 1 1'>{600:<path d='M0 0'/>}</svg>")]
    [InlineData("600 of mathematics", "<math>{600:<mspace/>}</math>")]
    [InlineData("a quotation mark in a bare value", "<p class=it's>x</p>")]
    [InlineData("a quotation mark between attributes", "<p a=\"b\"'c>x</p>")]
    [InlineData("an element in a comment", "<!-- <textarea> -->")]
    [InlineData("a style in a comment", "<!-- <style> <script> <title> -->")]
    [InlineData("a script in a string", "<script>var a = '<textarea>'; // <style></script>")]
    [InlineData("a comment that ends early", "<!--> <p>x</p> <!-- -->")]
    [InlineData("a CDATA section in SVG", "<svg><style><![CDATA[ a<b ]]></style></svg>")]
    [InlineData("600 paragraphs that are not closed", "{600:<p>x}")]
    [InlineData("600 elements with a slash that means nothing", "{600:<br/><input/>}")]
    [InlineData("a thousand comparisons in a style", "<style>{1000:a>b<c}</style>")]
    [InlineData("400 attributes", "<div {400:data-a=1 }>x</div>")]
    public void Content_before_the_title_does_not_hide_it(string what, string before)
    {
        var html = System.Text.RegularExpressions.Regex.Replace(
            before,
            @"\{(\d+):([^}]*)\}",
            match =>
                string.Concat(
                    Enumerable.Repeat(
                        match.Groups[2].Value,
                        int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
                    )
                )
        );
        var facts = Read($"<body>{html}<h1>Teapot</h1><script type=application/ld+json>{Product}</script>");
        Assert.True(
            facts.Title == new Fact<string>("Teapot", FactSource.JsonLd, 0.95) && facts.Price?.Value == new Money(48.90m, "EUR"),
            what
        );
    }

    [Theory]
    [InlineData("\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645", "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645")]
    [InlineData("\u0915\u094D\u200D\u0937", "\u0915\u094D\u200D\u0937")]
    [InlineData("Family \U0001F468\u200D\U0001F469\u200D\U0001F467", "Family \U0001F468\u200D\U0001F469\u200D\U0001F467")]
    [InlineData("Heart \u2764\uFE0F", "Heart \u2764\uFE0F")]
    [InlineData(
        "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
        "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"
    )]
    [InlineData("a\u200Bb\u2060c\u00ADd", "abcd")]
    [InlineData("\u200D a \u200C b\u200D", "a b")]
    [InlineData("a\U000E0067b", "ab")]
    public void Joiners_keep_their_sequences(string title, string expected) =>
        Assert.Equal(expected, Read($"<title>{title}</title>").Title?.Value);

    [Theory]
    [InlineData("\U0001F468\u200D\U0001F469\u200D\U0001F467", 8)]
    [InlineData("e\u0301", 2)]
    [InlineData("\U0001F600", 2)]
    public void A_long_title_is_cut_between_graphemes(string character, int length)
    {
        var title = Read($"<title>x{string.Concat(Enumerable.Repeat(character, 400))}</title>").Title!.Value;
        var count = (PlainText.MaxTitle - 1) / length;
        Assert.Equal("x" + string.Concat(Enumerable.Repeat(character, count)), title);
    }

    [Fact]
    public void An_endless_grapheme_is_cut() =>
        Assert.Equal(PlainText.MaxTitle, Read($"<title>e{new string('\u0301', 2_000)}</title>").Title!.Value.Length);

    [Theory]
    [InlineData("http://localhost./x.png")]
    [InlineData("http://LOCALHOST/x.png")]
    [InlineData("http://foo.localhost/x.png")]
    [InlineData("http://foo.LocalHost.:8080/x.png")]
    [InlineData("http://127.0.0.1./x.png")]
    [InlineData("http://0x7f.1./x.png")]
    [InlineData("http://[fe80::1%25eth0]/x.png")]
    [InlineData("http://[::ffff:7f00:1]/x.png")]
    [InlineData("http://\uFF4C\uFF4F\uFF43\uFF41\uFF4C\uFF48\uFF4F\uFF53\uFF54/x.png")]
    [InlineData("http://127\u30020\u30020\u30021/x.png")]
    [InlineData("http://localhost.localdomain/x.png")]
    [InlineData("http://ip6-localhost/x.png")]
    [InlineData("http://router/x.png")]
    [InlineData("http://router.lan/x.png")]
    [InlineData("http://printer.local./x.png")]
    [InlineData("http://metadata.google.internal/x.png")]
    public void Local_hosts_are_refused_for_pages_and_pictures_alike(string address)
    {
        Assert.Null(Read($"<meta property=og:image content='{address}'>").Image);
        Assert.True(
            !Uri.TryCreate(address, UriKind.Absolute, out var uri)
                || Assert.Throws<FetchException>(() => PageAddress.Require(uri, new FetchOptions())).Fault == FetchFault.AddressRefused
        );
    }

    [Theory]
    [InlineData("https://xn--mnchen-3ya.example/x.png")]
    [InlineData("https://localhost.example.com/x.png")]
    [InlineData("https://notlocalhost.example/x.png")]
    [InlineData("https://local.example/x.png")]
    public void Names_that_only_look_local_are_accepted(string address)
    {
        Assert.Equal(address, Read($"<meta property=og:image content='{address}'>").Image?.Value);
        PageAddress.Require(new Uri(address), new FetchOptions());
    }

    [Theory]
    [InlineData("text/html; charset=UTF-8;", "text/html", "UTF-8")]
    [InlineData("text/html;charset=\"koi8-r\" ; x", "text/html", "koi8-r")]
    [InlineData(" TEXT/HTML ;; CHARSET = utf-8", "text/html", "utf-8")]
    [InlineData("text/html; charset=", "text/html", null)]
    [InlineData("text/html, charset=utf-8", "text/html", "utf-8")]
    [InlineData("text/html", "text/html", null)]
    [InlineData("image/png; text/html", "image/png", null)]
    [InlineData("", "", null)]
    public void A_content_type_with_stray_characters_is_parsed(string header, string mediaType, string? charset) =>
        Assert.Equal(new ContentType(mediaType, charset), ContentType.Parse(header));

    private static string Offers(string offers) => $$"""{"@type":"Product","name":"Teapot","offers":{{offers}}}""";

    private static PageFacts Read(string html) => new PageReader(Options.Create(new FetchOptions())).Read(new FetchedPage(Address, html));
}
