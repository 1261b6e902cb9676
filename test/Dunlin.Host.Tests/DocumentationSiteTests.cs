using System.Net;

namespace Dunlin.Host.Tests;

public sealed class DocumentationSiteTests : IDisposable
{
    private readonly DirectoryInfo _site = Directory.CreateTempSubdirectory("dunlin-docs-");

    [Fact]
    public async Task Built_site_is_served_at_docs_and_linked_from_the_landing_page()
    {
        Directory.CreateDirectory(Path.Combine(_site.FullName, "start"));
        await File.WriteAllTextAsync(Path.Combine(_site.FullName, "index.html"), "<h1>Start here</h1>");
        await File.WriteAllTextAsync(Path.Combine(_site.FullName, "start", "browser.html"), "<h1>In a browser</h1>");
        await using var host = new HostProcess();
        host.Settings["Dunlin__Docs"] = _site.FullName;
        await host.StartAsync("--no-demo");
        using var client = new HttpClient { BaseAddress = host.Address };

        using var page = await client.GetAsync("/docs");
        Assert.Equal("/docs/", page.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Equal("<h1>Start here</h1>", await page.Content.ReadAsStringAsync());
        Assert.Equal("no-cache", $"{page.Headers.CacheControl}");
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self'; ", policy, StringComparison.Ordinal);
        Assert.EndsWith("font-src 'self' data:", policy, StringComparison.Ordinal);
        Assert.Equal("<h1>In a browser</h1>", await client.GetStringAsync("/docs/start/browser.html"));
        Assert.Contains("""<link rel="help" href="/docs/" /></head>""", await client.GetStringAsync("/"), StringComparison.Ordinal);
        using var missing = await client.GetAsync("/docs/none.html");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Without_a_built_site_docs_is_404_and_not_linked()
    {
        await using var host = new HostProcess();
        host.Settings["Dunlin__Docs"] = Path.Combine(_site.FullName, "none");
        await host.StartAsync("--no-demo");
        using var client = new HttpClient { BaseAddress = host.Address };
        using var missing = await client.GetAsync("/docs");
        using var other = await client.GetAsync("/no-such-page");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        Assert.Equal(other.Content.Headers.ContentType, missing.Content.Headers.ContentType);
        using var landing = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, landing.StatusCode);
        Assert.DoesNotContain("rel=\"help\"", await landing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    public void Dispose() => _site.Delete(recursive: true);
}
