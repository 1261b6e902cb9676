using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Inspector.Pages;

/// <summary>Serves the page from <see cref="InspectorOptions.PageFolder"/>, or from the assembly, which contains it if it was built before.
/// Thread-safe.</summary>
/// <remarks>The build has stored a Brotli and a gzip variant of each text file, so no request pays for compression.</remarks>
internal sealed class PageFiles
{
    private const string Prefix = "page/";
    private const string Index = "index.html";

    private const string Missing =
        "This build has no page of the inspector. Run: npm ci && npm run build:inspector. Then build the server again. "
        + "The data is there: GET {0}/api/connections with an administrator's token.";

    // No inline code, no other origin, no frame. The plots set sizes through the object model, which needs no exception.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    // The smaller variant first.
    private static readonly (string Coding, string Extension)[] Variants = [("br", ".br"), ("gzip", ".gz")];

    private static readonly Assembly Source = typeof(PageFiles).Assembly;

    private readonly HashSet<string> _names = [.. Source.GetManifestResourceNames()];
    private readonly FileExtensionContentTypeProvider _types = new();
    private readonly PhysicalFileProvider? _folder;

    public PageFiles(IOptions<InspectorOptions> options)
    {
        var folder = options.Value.PageFolder;
        if (folder is not null && Directory.Exists(folder))
            _folder = new PhysicalFileProvider(Path.GetFullPath(folder));
    }

    /// <summary>Gets whether the page has been built.</summary>
    public bool Exist => Has(Index);

    public async Task ServeAsync(HttpContext context, string basePath)
    {
        var path = context.Request.RouteValues["file"] as string ?? "";
        if (path.Length == 0 && context.Request.Path.Value?.EndsWith('/') == false)
        {
            // The page names its files relative to its own address.
            context.Response.Redirect(context.Request.PathBase + context.Request.Path + "/" + context.Request.QueryString);
            return;
        }
        var response = context.Response;
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (!Exist)
        {
            response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            response.ContentType = "text/plain; charset=utf-8";
            await response.WriteAsync(string.Format(CultureInfo.InvariantCulture, Missing, basePath), context.RequestAborted);
            return;
        }
        var name = path.Length == 0 ? Index : path;
        if (!Has(name) || !_types.TryGetContentType(name, out var type))
            throw new Diagnostics.DunlinException(Diagnostics.ErrorCode.NotFound, "The inspector has no such file.");
        await SendAsync(context, name, type);
    }

    private async Task SendAsync(HttpContext context, string name, string type)
    {
        var (request, response) = (context.Request, context.Response);
        // Names below assets contain a hash of their content.
        response.Headers.CacheControl = name.StartsWith("assets/", StringComparison.Ordinal)
            ? "public, max-age=31536000, immutable"
            : "no-cache";
        response.Headers.Append(HeaderNames.Vary, HeaderNames.AcceptEncoding);
        response.ContentType = type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type;
        var coding = Array.Find(Variants, each => Has(name + each.Extension) && Accepts(request, each.Coding));
        var tag = $"\"{VersionOf(name)}{coding.Coding}\"";
        response.Headers.ETag = tag;
        if (coding.Coding is not null)
            response.Headers.ContentEncoding = coding.Coding;
        if (request.Headers.IfNoneMatch.ToString().Contains(tag, StringComparison.Ordinal))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        await using var content = Open(name + coding.Extension);
        response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(request.Method))
            await content.CopyToAsync(response.Body, context.RequestAborted);
    }

    private bool Has(string name) => _folder?.GetFileInfo(name).Exists ?? _names.Contains(Prefix + name);

    private Stream Open(string name) => _folder?.GetFileInfo(name).CreateReadStream() ?? Source.GetManifestResourceStream(Prefix + name)!;

    private string VersionOf(string name) =>
        _folder?.GetFileInfo(name).LastModified.UtcTicks.ToString("x", CultureInfo.InvariantCulture)
        ?? Source.ManifestModule.ModuleVersionId.ToString("N");

    private static bool Accepts(HttpRequest request, string coding) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var wanted)
        && wanted.Any(each => each.Value.Equals(coding, StringComparison.OrdinalIgnoreCase) && each.Quality is null or > 0);
}
