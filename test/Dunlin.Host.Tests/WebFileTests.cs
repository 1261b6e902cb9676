using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Dunlin.Host.Tests;

/// <summary>Files of the web part: the negotiated coding, validators, ranges, caching, and addresses that do not exist.</summary>
public sealed class WebFileTests : IDisposable
{
    private const string Script = "/assets/page-abc.js";

    private static readonly string Text = string.Concat(Enumerable.Repeat("export const answer = 42;\n", 100));

    private readonly DirectoryInfo _web = Directory.CreateTempSubdirectory("dunlin-web-");

    [Theory]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0.5, gzip;q=0.9", "gzip")]
    [InlineData("br;q=0, gzip;q=0.1", "gzip")]
    [InlineData("*", "br")]
    [InlineData("br;q=0, *;q=0.5", "gzip")]
    [InlineData("identity, br;q=0.5", null)]
    [InlineData("br;q=0, gzip;q=0", null)]
    [InlineData("zstd", null)]
    [InlineData("not/a;list", null)]
    [InlineData(null, null)]
    public async Task Accepted_coding_chooses_the_variant(string? accepted, string? coding)
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        using var response = await SendAsync(client, HttpMethod.Get, Script, accepted);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(coding, response.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal("text/javascript; charset=utf-8", $"{response.Content.Headers.ContentType}");
        Assert.Equal("Accept-Encoding", Assert.Single(response.Headers.Vary));
        Assert.Equal(Text, await DecodedAsync(response));
    }

    [Fact]
    public async Task Variants_have_own_tags_and_HEAD_and_ranges_work()
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        var tags = new HashSet<string>(StringComparer.Ordinal);
        foreach (var accepted in new[] { "br", "gzip", null })
        {
            using var get = await SendAsync(client, HttpMethod.Get, Script, accepted);
            using var head = await SendAsync(client, HttpMethod.Head, Script, accepted);
            Assert.Equal(get.Headers.ETag, head.Headers.ETag);
            Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
            Assert.Equal(get.Content.Headers.ContentEncoding, head.Content.Headers.ContentEncoding);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
            Assert.True(tags.Add($"{get.Headers.ETag}"));
            using var again = await SendAsync(client, HttpMethod.Get, Script, accepted, get.Headers.ETag);
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
            using var other = await SendAsync(client, HttpMethod.Get, Script, accepted is null ? "br" : null, get.Headers.ETag);
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);

            // A range of a compressed file would be useless to a client that asks for bytes of the script.
            using var range = await SendAsync(client, HttpMethod.Get, Script, accepted, range: new(7, 11));
            Assert.Equal(HttpStatusCode.PartialContent, range.StatusCode);
            Assert.Equal(Text[7..12], await range.Content.ReadAsStringAsync());
            Assert.Empty(range.Content.Headers.ContentEncoding);
        }
    }

    [Fact]
    public async Task Hashed_files_are_immutable_and_pages_and_workers_are_revalidated()
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        foreach (var (path, caching) in Cached)
        {
            using var response = await SendAsync(client, HttpMethod.Get, path, "br");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(caching, Assert.Single(response.Headers.GetValues("Cache-Control")));
            Assert.NotNull(response.Headers.ETag);
        }
    }

    [Theory]
    [InlineData("/no-such-page")]
    [InlineData("/assets/page-old.js")]
    [InlineData("/focus/far/away")]
    public async Task Unknown_address_is_a_page_for_browsers_and_a_problem_for_clients(string path)
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/html,application/xhtml+xml,*/*;q=0.8");
        using var page = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Equal("<h1>There is no page</h1>", await page.Content.ReadAsStringAsync());
        using var problem = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, problem.StatusCode);
        Assert.Equal("application/problem+json", problem.Content.Headers.ContentType?.MediaType);
        Assert.Contains(path, await problem.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.All([page, problem], response => Assert.Contains("Accept", response.Headers.Vary));
    }

    public void Dispose() => _web.Delete(recursive: true);

    private static IEnumerable<(string Path, string Caching)> Cached =>
        [(Script, "public, max-age=31536000, immutable"), ("/", "no-cache"), ("/todos/a-list", "no-cache"), ("/page.sw.js", "no-cache")];

    private async Task<HostProcess> StartAsync()
    {
        await WriteAsync("apps/host/web/index.html", "<h1>Landing</h1>");
        await WriteAsync("apps/host/web/not-found.html", "<h1>There is no page</h1>");
        await WriteAsync("apps/todos/web/index.html", "<h1>Todos</h1>");
        await WriteAsync("page.sw.js", "self.onfetch = undefined;");
        await WriteAsync(Script[1..], Text);
        var host = new HostProcess();
        host.Settings["Dunlin__Web"] = _web.FullName;
        host.Settings["Dunlin__Docs"] = Path.Combine(_web.FullName, "none");
        await host.StartAsync("--no-demo");
        return host;
    }

    private async Task WriteAsync(string path, string text)
    {
        var file = Path.Combine(_web.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, text);
        await using (var brotli = new BrotliStream(File.Create(file + ".br"), CompressionLevel.Optimal))
            await brotli.WriteAsync(Encoding.UTF8.GetBytes(text));
        await using var gzip = new GZipStream(File.Create(file + ".gz"), CompressionLevel.Optimal);
        await gzip.WriteAsync(Encoding.UTF8.GetBytes(text));
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client,
        HttpMethod method,
        string path,
        string? accepted,
        EntityTagHeaderValue? known = null,
        RangeHeaderValue? range = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (accepted is not null)
            request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        if (known is not null)
            request.Headers.IfNoneMatch.Add(known);
        request.Headers.Range = range;
        return await client.SendAsync(request);
    }

    private static async Task<string> DecodedAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStreamAsync();
        await using var decoded = response.Content.Headers.ContentEncoding.SingleOrDefault() switch
        {
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            "gzip" => new GZipStream(body, CompressionMode.Decompress),
            _ => body,
        };
        return await new StreamReader(decoded).ReadToEndAsync();
    }
}
