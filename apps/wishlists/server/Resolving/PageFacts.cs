namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>The place on a page where a fact was found.</summary>
internal enum FactSource
{
    /// <summary>JSON-LD of type Product.</summary>
    JsonLd,

    /// <summary>Microdata of type Product.</summary>
    Microdata,

    /// <summary>OpenGraph (and its product namespace).</summary>
    OpenGraph,

    /// <summary>Other meta elements, such as Twitter cards.</summary>
    Meta,

    /// <summary>The title element.</summary>
    Title,

    /// <summary>The first heading.</summary>
    Heading,
}

/// <summary>A fact from a page.</summary>
/// <param name="Value">The value.</param>
/// <param name="Source">The place of the value.</param>
/// <param name="Confidence">Reliability, 0 to 1. The highest wins.</param>
internal sealed record Fact<T>(T Value, FactSource Source, double Confidence);

/// <summary>An amount of money. <paramref name="Currency"/> is an ISO 4217 code, null if the page does not name one.</summary>
internal sealed record Money(decimal Amount, string? Currency);

/// <summary>The facts that a page states about its item; null for each missing one.</summary>
internal sealed record PageFacts(Fact<string>? Title, Fact<Money>? Price, Fact<string>? Image);

/// <summary>Collects the facts of all readers and keeps the most reliable of each kind. Of equals the first one wins.</summary>
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
        // Halve the confidence of an amount without a currency.
        if (price is { Amount: > 0 })
            _price = Better(_price, new Fact<Money>(price, source, price.Currency is null ? confidence / 2 : confidence));
    }

    public void Image(string? text, FactSource source, double confidence)
    {
        // The viewer's browser fetches the image, so its address must not lead into the viewer's own network.
        if (
            text is not null
            && Uri.TryCreate(address, text.Trim(), out var uri)
            && PageAddress.Parse(uri.AbsoluteUri) is { } image
            && options.Rules.AllowsHost(image)
        )
        {
            _image = Better(_image, new Fact<string>(image.AbsoluteUri, source, confidence));
        }
    }

    private static Fact<T> Better<T>(Fact<T>? known, Fact<T> found) =>
        known is not null && known.Confidence >= found.Confidence ? known : found;
}
