namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>Where on a page something was found.</summary>
internal enum FactSource
{
    /// <summary>JSON-LD of type Product: meant for machines.</summary>
    JsonLd,

    /// <summary>Microdata of type Product.</summary>
    Microdata,

    /// <summary>OpenGraph (and its product namespace).</summary>
    OpenGraph,

    /// <summary>Other meta elements: Twitter cards, plain names.</summary>
    Meta,

    /// <summary>The title element.</summary>
    Title,

    /// <summary>The first heading.</summary>
    Heading,
}

/// <summary>Something a page says.</summary>
/// <param name="Value">What.</param>
/// <param name="Source">Where it says so.</param>
/// <param name="Confidence">How far to trust it, 0 to 1: of several the highest is taken.</param>
internal sealed record Fact<T>(T Value, FactSource Source, double Confidence);

/// <summary>An amount of money; <paramref name="Currency"/> is a code of ISO 4217, null where the page does not say.</summary>
internal sealed record Money(decimal Amount, string? Currency);

/// <summary>What a page says of the thing it shows; null where it says nothing that can be used.</summary>
internal sealed record PageFacts(Fact<string>? Title, Fact<Money>? Price, Fact<string>? Image);

/// <summary>Gathers what the readers find, and keeps the most trusted of each kind; of equals the first.</summary>
internal sealed class FactBook(Uri address, FetchOptions options)
{
    private Fact<string>? _title;
    private Fact<Money>? _price;
    private Fact<string>? _image;

    public PageFacts Facts => new(_title, _price, _image);

    public void Title(string? text, FactSource source, double confidence)
    {
        if (PlainText.Clean(text, PlainText.MaxTitle) is { } title)
            _title = Better(_title, new Fact<string>(title, source, confidence));
    }

    public void Price(Money? price, FactSource source, double confidence)
    {
        // Half the trust for an amount of nobody knows what.
        if (price is { Amount: > 0 })
            _price = Better(_price, new Fact<Money>(price, source, price.Currency is null ? confidence / 2 : confidence));
    }

    public void Image(string? text, FactSource source, double confidence)
    {
        // The browser of whoever sees the list will fetch it: not from that person's own network.
        if (
            text is not null
            && Uri.TryCreate(address, text.Trim(), out var uri)
            && PageAddress.Parse(uri.AbsoluteUri) is { } image
            && PageAddress.MayBeAsked(image, options)
        )
        {
            _image = Better(_image, new Fact<string>(image.AbsoluteUri, source, confidence));
        }
    }

    private static Fact<T> Better<T>(Fact<T>? known, Fact<T> found) =>
        known is not null && known.Confidence >= found.Confidence ? known : found;
}
