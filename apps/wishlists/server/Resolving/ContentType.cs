using System.Net.Http.Headers;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>What a page is, and in which encoding. Read as browsers do, with stray semicolons and repeated headers, where the strict parser
/// of the framework knows nothing at all.</summary>
/// <param name="MediaType">In lower case; empty where there is none.</param>
/// <param name="Charset">The first that is named.</param>
internal readonly record struct ContentType(string MediaType, string? Charset)
{
    public bool IsHtml => MediaType is "text/html" or "application/xhtml+xml";

    public static ContentType Of(HttpContentHeaders headers) =>
        // Of several headers the last counts (Fetch, "extract a MIME type").
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
