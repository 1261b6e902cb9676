using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Host;

/// <summary>
/// Serves built files with content negotiation (RFC 9110, section 12.5.3). The build has stored a Brotli and a gzip variant beside each
/// text file, so no request pays for compression.
/// </summary>
internal sealed class WebFiles(PhysicalFileProvider files)
{
    private const string Immutable = "public, max-age=31536000, immutable";

    // The smaller variant first: it wins where the client prefers none.
    private static readonly (string Coding, string Extension)[] Variants = [("br", ".br"), ("gzip", ".gz")];

    private readonly FileExtensionContentTypeProvider _types = new();

    /// <summary>Returns a response with the file, or null if there is none of this name and a known type.</summary>
    public IResult? Find(HttpContext context, string path)
    {
        if (!_types.TryGetContentType(path, out var type) || files.GetFileInfo(path) is not { Exists: true, IsDirectory: false } file)
            return null;
        var headers = context.Response.Headers;
        // Names below /assets contain a hash of their content. All other names stay the same in the next build.
        headers.CacheControl = path.StartsWith("/assets/", StringComparison.Ordinal) ? Immutable : "no-cache";
        headers.Append(HeaderNames.Vary, HeaderNames.AcceptEncoding);
        var suffix = "";
        foreach (var (coding, extension) in Accepted(context.Request))
        {
            if (files.GetFileInfo(path + extension) is not { Exists: true } variant)
                continue;
            headers.ContentEncoding = coding;
            (file, suffix) = (variant, "-" + coding);
            break;
        }
        // Each variant has its own tag: a cache must not take one for the other.
        var tag = new EntityTagHeaderValue($"\"{file.LastModified.UtcTicks ^ file.Length:x}{suffix}\"");
        var text = type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type;
        return Results.File(file.PhysicalPath!, text, null, file.LastModified, tag, enableRangeProcessing: true);
    }

    // A coding that the client prefers to the plain file, best first. Without an own weight the plain file ranks below all that are named.
    private static IEnumerable<(string Coding, string Extension)> Accepted(HttpRequest request)
    {
        // A range counts the bytes of the plain file.
        if (request.Headers.Range.Count > 0 || !StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var wanted))
            return [];
        var plain = Named(wanted, "identity") is { } named ? named.Quality ?? 1 : 0;
        return Variants
            .Select(variant => (variant, Quality: QualityOf(wanted, variant.Coding)))
            .Where(each => each.Quality > 0 && each.Quality >= plain)
            .OrderByDescending(each => each.Quality)
            .Select(each => each.variant);
    }

    private static double QualityOf(IList<StringWithQualityHeaderValue> wanted, string coding)
    {
        var named = Named(wanted, coding) ?? Named(wanted, "*");
        return named is null ? 0 : named.Quality ?? 1;
    }

    private static StringWithQualityHeaderValue? Named(IList<StringWithQualityHeaderValue> wanted, StringSegment name) =>
        wanted.FirstOrDefault(each => each.Value.Equals(name, StringComparison.OrdinalIgnoreCase));
}
