using System.Net.Http.Headers;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Media type and charset of a page. Parsed as browsers do, with stray semicolons and repeated headers, because the framework's strict
/// parser rejects such headers.
/// </summary>
/// <param name="MediaType">In lower case; empty if missing.</param>
/// <param name="Charset">The first charset parameter.</param>
internal readonly record struct ContentType(string MediaType, string? Charset)
{
    public bool IsHtml => MediaType is "text/html" or "application/xhtml+xml";

    public static ContentType Of(HttpContentHeaders headers) =>
        // Of several headers the last one wins (Fetch Standard, "extract a MIME type").
        headers.NonValidated.TryGetValues("Content-Type", out var values)
            ? Parse(values.Last())
            : default;

    public static ContentType Parse(string text)
    {
        var parts = text.Split(';', ',');
        string? charset = null;
        foreach (var part in parts.Skip(1))
        {
            if (
                charset is null
                && part.Split('=', 2) is [var name, var value]
                && name.Trim().Equals("charset", StringComparison.OrdinalIgnoreCase)
            )
                charset = value.Trim().Trim('"', '\'').Trim();
        }
        return new ContentType(parts[0].Trim().ToLowerInvariant(), charset is "" ? null : charset);
    }
}
