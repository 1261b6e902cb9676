using Microsoft.Extensions.FileProviders;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Host;

/// <summary>Serves the documentation at <c>/docs</c> where <c>./docs.sh</c> has built it, and nothing elsewhere.</summary>
internal sealed class DocumentationSite(IConfiguration configuration)
{
    private const string Path = "/docs";

    private readonly PhysicalFileProvider? _files = BuiltFolder.Find(configuration["Dunlin:Docs"], "docs", "index.html");

    /// <summary>What the head of the landing page holds, so that it can link to the documentation. Empty where there is none.</summary>
    public string Link => _files is null ? "" : $"""<link rel="help" href="{Path}/" />""";

    public void Use(WebApplication app)
    {
        if (_files is null)
            return;
        var server = new FileServerOptions { FileProvider = _files, RequestPath = Path };
        server.StaticFileOptions.OnPrepareResponse = static file =>
        {
            var headers = file.Context.Response.Headers;
            headers.CacheControl = "no-cache";
            // The site's script brings a font of its own.
            headers[HeaderNames.ContentSecurityPolicy] = $"{headers[HeaderNames.ContentSecurityPolicy]}; font-src 'self' data:";
        };
        app.UseFileServer(server);
    }
}
