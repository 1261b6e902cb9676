using System.Text;
using Microsoft.Extensions.FileProviders;

namespace Dunlin.Host;

/// <summary>Serves the built pages of the systems. Browsers cache hashed assets for ever and revalidate pages.</summary>
internal sealed class WebPages
{
    private const string Missing = "The web part has not been built. Run ./start.sh, or: npm ci && npm run build";

    private const string Landing = "apps/host/web/index.html";

    // Route and page of the build. A route that ends in /{**rest} serves the same page for all addresses below it.
    private static readonly (string Route, string Page)[] Pages =
    [
        ("/", Landing),
        ("/documents/{**rest}", "apps/documents/web/index.html"),
        ("/todos/{**rest}", "apps/todos/web/index.html"),
        ("/branch/{id}", "apps/warranty/web/index.html"),
        ("/focus", "apps/focus/web/index.html"),
        ("/wishlists/{**rest}", "apps/wishlists/web/index.html"),
    ];

    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    private readonly PhysicalFileProvider? _files;

    private readonly DocumentationSite _documentation;

    public WebPages(IConfiguration configuration, DocumentationSite documentation)
    {
        _files = BuiltFolder.Find(configuration["Dunlin:Web"], "web", Landing);
        _documentation = documentation;
    }

    public void Use(WebApplication app)
    {
        app.UseDunlinPageHeaders();
        _documentation.Use(app);
        if (_files is null)
            return;
        app.UseStaticFiles(
            new StaticFileOptions
            {
                FileProvider = _files,
                OnPrepareResponse = file =>
                    file.Context.Response.Headers.CacheControl = file.Context.Request.Path.StartsWithSegments("/assets")
                        ? "public, max-age=31536000, immutable"
                        : "no-cache",
            }
        );
    }

    public void Map(WebApplication app)
    {
        foreach (var (route, page) in Pages)
        {
            app.MapMethods(
                    route,
                    GetAndHead,
                    (HttpContext context) =>
                        _files?.GetFileInfo(page) is { Exists: true } file
                            ? Html(context, file.PhysicalPath!, page == Landing)
                            : Results.Text(Missing, statusCode: StatusCodes.Status503ServiceUnavailable)
                )
                .ExcludeFromDescription();
        }
    }

    // A page names its scripts by hash, so a cached page of an older build would request missing files.
    private IResult Html(HttpContext context, string path, bool isLanding)
    {
        context.Response.Headers.CacheControl = "no-cache";
        if (isLanding && _documentation.Link is { Length: > 0 } link)
            return Results.Text(
                File.ReadAllText(path).Replace("</head>", link + "</head>", StringComparison.Ordinal),
                "text/html",
                Encoding.UTF8
            );
        return Results.File(path, "text/html; charset=utf-8", lastModified: new DateTimeOffset(File.GetLastWriteTimeUtc(path)));
    }
}
