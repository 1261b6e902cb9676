using System.Text;
using System.Xml;
using System.Xml.Linq;
using Dunlin.Apps.Documents.Files;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Diagnostics;
using Dunlin.Fuzz.Engine;
using Microsoft.Extensions.Options;

namespace Dunlin.Fuzz.Targets;

/// <summary>Texts of other people: pages that wish lists resolve, and XML files.</summary>
internal static class ResolverTargets
{
    private static readonly PageReader Reader = new(Options.Create(new FetchOptions()));
    private static readonly Uri Address = new("https://shop.example/things/1?a=b");

    public static FuzzTarget Html() =>
        new ParserTarget("html", input => ReadPage(Encoding.UTF8.GetString(input)), "Dunlin.Apps.Wishlists.Resolving.")
        {
            Words =
            [
                "<meta property=\"og:price:amount\" content=\"12,50\">",
                "<meta property=\"og:image\" content=\"",
                "<script type=\"application/ld+json\">",
                "</script>",
                "<div itemscope itemtype=\"https://schema.org/Product\">",
                "<span itemprop=\"price\" content=\"",
                "<base href=\"",
                "<title>",
                "<h1>",
                "<del>",
                "<template>",
                "<svg>",
                "<table><tr><td>",
                "<!--",
                "]]>",
                "&#0;",
                "&euro;",
                "1.234,50 EUR",
                "javascript:",
                "//[",
                "\">",
            ],
            MaxLength = 4_096,
        };

    public static FuzzTarget JsonLd() =>
        new ParserTarget(
            "json-ld",
            static input => ReadPage($"<html><script type='application/ld+json'>{Encoding.UTF8.GetString(input)}</script></html>"),
            "Dunlin.Apps.Wishlists.Resolving.JsonLd",
            "Dunlin.Apps.Wishlists.Resolving.JsonText",
            "Dunlin.Apps.Wishlists.Resolving.FactBook",
            "Dunlin.Apps.Wishlists.Resolving.Price"
        )
        {
            Words =
            [
                "\"@type\":\"Product\"",
                "\"@graph\":[",
                "\"offers\":",
                "\"price\":\"12.50\"",
                "\"lowPrice\"",
                "\"priceCurrency\":\"EUR\"",
                "\"priceSpecification\"",
                "\"image\":[\"/a.png\"]",
                "\"name\":\"x\"",
                "\"hasVariant\"",
                "1e308",
                "-0",
                "//",
                "/*",
                "\\ud83d",
                "]",
                "}",
            ],
            IsJson = true,
        };

    public static FuzzTarget Xml() =>
        new ParserTarget("xml", ReadXml, "Dunlin.Apps.Documents.Files.DocumentXml")
        {
            Words =
            [
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
                "<!DOCTYPE a [<!ENTITY x \"y\">]>",
                "<!DOCTYPE",
                "<!--",
                "-->",
                "<![CDATA[",
                "]]>",
                "<?p ",
                "?>",
                "&x;",
                "&#0;",
                "<a b='",
                "/>",
                "</a>",
                "xmlns:xi=\"http://www.w3.org/2001/XInclude\"",
                "<xi:include/>",
                "\u00ef\u00bb\u00bf",
                "=",
                ">",
            ],
        };

    private static void ReadPage(string html)
    {
        var facts = Reader.Read(new FetchedPage(Address, html));
        if (facts.Image is { Value: var image })
            FindingException.Require(
                Uri.TryCreate(image, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https",
                "the image is no address of the web",
                image
            );
        if (facts.Price is { Value: var price })
            FindingException.Require(price.Amount >= 0, "the price is negative", $"{price.Amount}");
        if (facts.Title is { Value: var title })
            FindingException.Require(
                title.Length > 0 && !title.Contains('\0', StringComparison.Ordinal) && IsUnicode(title),
                "the title is no text",
                title
            );
    }

    private static bool IsUnicode(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;

    private static void ReadXml(byte[] input)
    {
        // Each pair of bytes above U+D7FF may become half a surrogate pair.
        var text = input.Length % 2 == 0 ? Encoding.UTF8.GetString(input) : Encoding.Latin1.GetString(input).Replace('\u00fe', '\ud83d');
        byte[] bytes;
        try
        {
            bytes = DocumentXml.Check(text);
        }
        catch (DunlinException)
        {
            return;
        }
        FindingException.Require(Encoding.UTF8.GetString(bytes) == text, "the bytes are another text", text);
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(bytes), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            XDocument.Load(reader);
        }
        catch (XmlException exception)
        {
            throw new FindingException("another reader refuses the document", $"{exception.Message} {text}");
        }
    }
}
