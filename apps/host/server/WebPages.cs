using System.Text;
using Dunlin.Diagnostics;
using Microsoft.Extensions.FileProviders;

namespace Dunlin.Host;

/// <summary>Serves the built pages of the systems. Browsers cache hashed assets for ever and revalidate pages.</summary>
internal sealed class WebPages
{
    private const string Missing = "The web part has not been built. Run ./start.sh, or: npm ci && npm run build";

    private const string Landing = "apps/host/web/index.html";

    private const string NotFound = "apps/host/web/not-found.html";

    // Route and page of the build. A route that ends in /{**rest} serves the same page for all addresses below it.
    private static readonly (string Route, string Page)[] Pages =
    [
        ("/", Landing),
        ("/kit", "apps/host/web/kit.html"),
        ("/branch", "apps/host/web/branch.html"),
        ("/documents/{**rest}", "apps/documents/web/index.html"),
        ("/todos/{**rest}", "apps/todos/web/index.html"),
        ("/branch/{id}", "apps/warranty/web/index.html"),
        ("/focus", "apps/focus/web/index.html"),
        ("/wishlists/{**rest}", "apps/wishlists/web/index.html"),
    ];

    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    private readonly PhysicalFileProvider? _folder;

    private readonly WebFiles? _files;

    private readonly DocumentationSite _documentation;

    public WebPages(IConfiguration configuration, DocumentationSite documentation)
    {
        _folder = BuiltFolder.Find(configuration["Dunlin:Web"], "web", Landing);
        _files = _folder is null ? null : new WebFiles(_folder);
        _documentation = documentation;
    }

    public void Use(WebApplication app)
    {
        app.UseDunlinPageHeaders();
        _documentation.Use(app);
        app.Use(next => context => context.GetEndpoint() is null ? ServeUnmappedAsync(context, next) : next(context));
    }

    public void Map(WebApplication app)
    {
        foreach (var (route, page) in Pages)
        {
            app.MapMethods(
                    route,
                    GetAndHead,
                    (HttpContext context) =>
                        Html(context, page) ?? Results.Text(Missing, statusCode: StatusCodes.Status503ServiceUnavailable)
                )
                .ExcludeFromDescription();
        }
    }

    // A file, or the answer for an address that does not exist: a page for browsers, a problem document for all other clients.
    private Task ServeUnmappedAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (isRead && request.Path.Value is { } path && _files?.Find(context, path) is { } file)
            return file.ExecuteAsync(context);
        // The problem middleware answers API clients.
        if (request.Path.StartsWithSegments("/api") || request.Path.StartsWithSegments("/dunlin"))
            return next(context);
        context.Response.Headers.Vary = "Accept";
        if (!isRead || !request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            throw new DunlinException(ErrorCode.NotFound, $"No page or file at '{Short(request.Path)}'.");
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.Headers.CacheControl = "no-store";
        return _folder?.GetFileInfo(NotFound) is { Exists: true } page
            ? Results
                .Text(File.ReadAllText(page.PhysicalPath!), "text/html", Encoding.UTF8, context.Response.StatusCode)
                .ExecuteAsync(context)
            : next(context);
    }

    private static string Short(PathString path) => path.Value is { Length: <= 200 } text ? text : "the requested path";

    // A page names its scripts by hash, so a cached page of an older build would request missing files.
    private IResult? Html(HttpContext context, string page)
    {
        if (page != Landing || _documentation.Link is not { Length: > 0 } link || _folder?.GetFileInfo(page) is not { Exists: true } file)
            return _files?.Find(context, page);
        context.Response.Headers.CacheControl = "no-cache";
        var html = File.ReadAllText(file.PhysicalPath!).Replace("</head>", link + "</head>", StringComparison.Ordinal);
        return Results.Text(html, "text/html", Encoding.UTF8);
    }
}
