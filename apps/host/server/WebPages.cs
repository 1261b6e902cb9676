using Microsoft.Extensions.FileProviders;

namespace Dunlin.Host;

/// <summary>Serves the built pages of the systems. Browsers cache hashed assets for ever and revalidate pages.</summary>
internal sealed class WebPages
{
    private const string Missing = "The web part has not been built. Run ./start.sh, or: npm ci && npm run build";

    // Route and page of the build. A route that ends in /{**rest} serves the same page for all addresses below it.
    private static readonly (string Route, string Page)[] Pages =
    [
        ("/", "apps/host/web/index.html"),
        ("/documents/{**rest}", "apps/documents/web/index.html"),
        ("/todos/{**rest}", "apps/todos/web/index.html"),
        ("/branch/{id}", "apps/warranty/web/index.html"),
        ("/focus", "apps/focus/web/index.html"),
        ("/wishlists/{**rest}", "apps/wishlists/web/index.html"),
    ];

    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    private readonly PhysicalFileProvider? _files;

    public WebPages(IConfiguration configuration)
    {
        var root = configuration["Dunlin:Web"] ?? Find();
        _files = root is not null && Directory.Exists(root) ? new PhysicalFileProvider(Path.GetFullPath(root)) : null;
    }

    public void Use(WebApplication app)
    {
        app.UseDunlinPageHeaders();
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
                            ? Html(context, file.PhysicalPath!)
                            : Results.Text(Missing, statusCode: StatusCodes.Status503ServiceUnavailable)
                )
                .ExcludeFromDescription();
        }
    }

    // A page names its scripts by hash, so a cached page of an older build would request missing files.
    private static IResult Html(HttpContext context, string path)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return Results.File(path, "text/html; charset=utf-8", lastModified: new DateTimeOffset(File.GetLastWriteTimeUtc(path)));
    }

    // A published program has the folder beside it. In a checkout it is at the root.
    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            foreach (var candidate in (ReadOnlySpan<string>)["web", Path.Combine("artifacts", "web")])
            {
                var path = Path.Combine(folder.FullName, candidate);
                if (File.Exists(Path.Combine(path, "apps", "host", "web", "index.html")))
                    return path;
            }
        }
        return null;
    }
}
