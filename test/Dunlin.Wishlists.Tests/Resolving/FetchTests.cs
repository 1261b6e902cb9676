using System.IO.Compression;
using System.Net;
using System.Text;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Outbound;
using Dunlin.TestKit;
using Dunlin.Wishlists.Tests.Support;
using Microsoft.Extensions.Options;

namespace Dunlin.Wishlists.Tests.Resolving;

/// <summary>Fetching pages and refusing attacks, with a real socket.</summary>
[Collection(nameof(FetchTests))]
public sealed class FetchTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly TestSite _site = new();
    private readonly FetchOptions _options = new();
    private readonly List<string> _lookups = [];
    private OutboundLookup _lookup = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
    private PageFetcher? _fetcher;

    public FetchTests()
    {
        _options.AllowedNetworks.Add("127.0.0.1/32");
        _options.AllowedPorts.Add(_site.Port);
    }

    [Fact]
    public async Task A_fetch_sends_nothing_of_the_user_or_the_server()
    {
        _site.Html("/a", "<title>hi</title>");
        var page = await FetchAsync("a");
        Assert.Equal(("<title>hi</title>", new Uri(_site.Address, "a")), (page.Html, page.Address));
        var head = Assert.Single(_site.Requests);
        Assert.StartsWith("GET /a HTTP/1.1\r\n", head, StringComparison.Ordinal);
        foreach (var header in new[] { "Cookie", "Authorization", "Referer", "traceparent", "X-Forwarded-For", "Proxy-" })
            Assert.DoesNotContain(header, head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Compressed_pages_are_read(string encoding)
    {
        _site.Bytes("/", Compress("<title>small</title>"u8.ToArray(), encoding), "text/html", "Content-Encoding: " + encoding);
        Assert.Equal("<title>small</title>", (await FetchAsync()).Html);
    }

    [Theory]
    [InlineData("text/html; charset=windows-1251", "<title>Привет</title>", "windows-1251")]
    [InlineData("text/html; charset=\"koi8-r\"", "<title>Привет</title>", "koi8-r")]
    [InlineData("text/html", "<meta charset=windows-1251><title>Привет</title>", "windows-1251")]
    [InlineData("text/html", "<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\"><title>Привет</title>", "koi8-r")]
    [InlineData("text/html; charset=iso-8859-1", "<title>Käse – 3 €</title>", "windows-1252")]
    [InlineData("text/html; charset=nonsense", "<title>Привет</title>", "utf-8")]
    [InlineData("text/html", "<title>Привет</title>", "utf-8")]
    [InlineData("text/html; charset=windows-1251", "\uFEFF<title>Привет</title>", "utf-8")]
    [InlineData("text/html", "\uFEFF<title>Привет</title>", "utf-16")]
    [InlineData("text/html; charset=UTF-8;", "<title>Привет</title>", "utf-8")]
    [InlineData("text/html;; charset=windows-1251;;", "<title>Привет</title>", "windows-1251")]
    [InlineData("text/html; charset=shift_jis", "<title>こんにちは</title>", "shift_jis")]
    public async Task The_encoding_is_found_in_the_order_of_the_standard(string type, string html, string encoding)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        _site.Bytes("/", Encoding.GetEncoding(encoding).GetBytes(html), type);
        Assert.Equal(html.TrimStart('\uFEFF'), (await FetchAsync()).Html);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slow_site_is_aborted_at_the_limit(bool drips)
    {
        var reached = new TaskCompletionSource();
        var closed = new TaskCompletionSource();
        _site.Page(
            "/",
            async (stream, ct) =>
            {
                if (drips)
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<"u8.ToArray(), ct);
                reached.SetResult();
                // Returns when the peer has closed.
                Assert.Equal(0, await stream.ReadAsync(new byte[1], ct));
                closed.SetResult();
            }
        );
        var fetching = FetchAsync();
        await reached.Task.WaitAsync(Patience);
        _time.Advance(_options.TimeLimit - TimeSpan.FromMilliseconds(1));
        Assert.False(fetching.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await FaultAsync(FetchFault.TooSlow, fetching);
        await closed.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task An_endless_page_is_truncated_and_its_connection_closed()
    {
        var closed = new TaskCompletionSource();
        _site.Page(
            "/",
            async (stream, ct) =>
            {
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"u8.ToArray(), ct);
                var much = Encoding.ASCII.GetBytes(new string('a', 100_000));
                try
                {
                    while (true)
                        await stream.WriteAsync(much, ct);
                }
                finally
                {
                    closed.SetResult();
                }
            }
        );
        Assert.Equal(_options.MaxBytes, (await FetchAsync()).Html.Length);
        await closed.Task.WaitAsync(Patience);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compression_bomb_costs_no_more_than_a_page(string encoding)
    {
        var bomb = Compress(new byte[200_000_000], encoding);
        Assert.True(bomb.Length < 2_000_000, "not much of a bomb");
        _site.Bytes("/", bomb, "text/html", "Content-Encoding: " + encoding);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(_options.MaxBytes, (await FetchAsync()).Html.Length);
        // Measured for the whole process: some megabytes belong to the page; the bomb would add 200.
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 100_000_000);
    }

    [Theory]
    [InlineData("br", "this is no brotli at all, whatever the header says")]
    [InlineData("gzip", "this is no gzip at all, whatever the header says")]
    [InlineData("deflate", "this is no zlib at all, whatever the header says")]
    [InlineData("zstd", "<title>not asked for</title>")]
    public async Task A_page_with_broken_compression_is_unreadable_and_not_retried(string encoding, string body)
    {
        _site.Bytes("/", Encoding.ASCII.GetBytes(body), "text/html", "Content-Encoding: " + encoding);
        var fault = await Assert.ThrowsAsync<FetchException>(() => FetchAsync());
        Assert.Equal((FetchFault.Unreadable, false), (fault.Fault, fault.IsTransient));
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("application/octet-stream")]
    [InlineData("text/htmlx")]
    [InlineData(null)]
    public async Task Content_that_is_no_page_is_not_read(string? type)
    {
        _site.Bytes("/", "<title>x</title>"u8.ToArray(), type);
        await FaultAsync(FetchFault.NotAPage, FetchAsync());
    }

    [Theory]
    [InlineData("404 Not Found", nameof(FetchFault.Refused))]
    [InlineData("403 Forbidden", nameof(FetchFault.Refused))]
    [InlineData("204 No Content", nameof(FetchFault.Refused))]
    [InlineData("429 Too Many Requests", nameof(FetchFault.SiteFailed))]
    [InlineData("503 Service Unavailable", nameof(FetchFault.SiteFailed))]
    [InlineData("302 Found", nameof(FetchFault.NotAPage))]
    public async Task Error_statuses_map_to_their_faults(string status, string fault)
    {
        _site.Status("/", status);
        await FaultAsync(Enum.Parse<FetchFault>(fault), FetchAsync());
    }

    [Fact]
    public async Task No_listener_and_no_HTTP_are_unreachable()
    {
        _site.Page("/", async (stream, ct) => await stream.WriteAsync("SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray(), ct));
        await FaultAsync(FetchFault.Unreachable, FetchAsync());
        _site.Page(
            "/",
            async (stream, ct) =>
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nX: {new string('x', 40_000)}\r\n\r\n"), ct)
        );
        await FaultAsync(FetchFault.Unreachable, FetchAsync());
        _site.Page("/", (_, _) => Task.CompletedTask);
        await FaultAsync(FetchFault.Unreachable, FetchAsync());
        _lookup = (_, _) => Task.FromResult<IPAddress[]>([]);
        await FaultAsync(FetchFault.Unreachable, FetchAsync(new Uri($"http://nowhere.test:{_site.Port}/")));
        _lookup = (_, _) => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound);
        await FaultAsync(FetchFault.Unreachable, FetchAsync(new Uri($"http://nowhere.test:{_site.Port}/")));
    }

    [Fact]
    public async Task Three_redirects_are_followed_without_cookies_and_no_fourth()
    {
        _site.Status("/1", "301 Moved Permanently", "Location: /2", "Set-Cookie: a=b; Path=/");
        _site.Status("/2", "307 Temporary Redirect", $"Location: //127.0.0.1:{_site.Port}/3");
        _site.Status("/3", "308 Permanent Redirect", $"Location: {_site.Address}4");
        _site.Html("/4", "there");
        var page = await FetchAsync("1");
        Assert.Equal(("there", "/4"), (page.Html, page.Address.AbsolutePath));
        Assert.DoesNotContain(_site.Requests, head => head.Contains("Cookie", StringComparison.OrdinalIgnoreCase));
        _site.Redirect("/0", "/1");
        await FaultAsync(FetchFault.TooManyRedirects, FetchAsync("0"));
    }

    [Fact]
    public async Task A_redirect_loop_ends_at_the_limit()
    {
        _site.Redirect("/", "/");
        await FaultAsync(FetchFault.TooManyRedirects, FetchAsync());
        Assert.Equal(1 + _options.MaxRedirects, _site.Requests.Count);
    }

    [Theory]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://127.0.0.2:{port}/")]
    [InlineData("//127.0.0.2:{port}/")]
    [InlineData("http://[::1]:{port}/")]
    [InlineData("http://[::ffff:127.0.0.2]:{port}/")]
    [InlineData("http://0x7f000002:{port}/")]
    [InlineData("http://2130706434:{port}/")]
    [InlineData("http://0177.0.0.02:{port}/")]
    [InlineData("http://127.2:{port}/")]
    [InlineData("http://127.0.0.1:22/")]
    [InlineData("http://user:pass@127.0.0.1:{port}/secret")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/")]
    public async Task A_redirect_target_is_checked_too(string to)
    {
        await using var secret = new TestSite("127.0.0.2", _site.Port);
        _site.Redirect(
            "/",
            to.Replace("{port}", _site.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)
        );
        await FaultAsync(FetchFault.AddressRefused, FetchAsync());
        Assert.Single(_site.Requests);
        Assert.Equal(0, secret.Connections);
    }

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("127.0.0.1", "127.0.0.2")]
    [InlineData("127.0.0.1", "10.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.2")]
    [InlineData("64:ff9b::7f00:2")]
    public async Task A_name_with_one_private_address_is_refused_without_a_connection(params string[] addresses)
    {
        await using var secret = new TestSite("127.0.0.2", _site.Port);
        _lookup = (_, _) => Task.FromResult<IPAddress[]>([.. addresses.Select(a => IPAddress.Parse(a))]);
        await FaultAsync(FetchFault.AddressRefused, FetchAsync(new Uri($"http://evil.test:{_site.Port}/")));
        Assert.Equal((0, 0), (_site.Connections, secret.Connections));
    }

    [Fact]
    public async Task A_name_is_resolved_once_and_connected_by_the_checked_address()
    {
        await using var secret = new TestSite("127.0.0.2", _site.Port);
        secret.Html("/", "secret");
        _site.Html("/", "public");
        // The name service answers differently each time: a second look-up would reach another address.
        _lookup = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(_lookups.Count == 1 ? "127.0.0.1" : "127.0.0.2")]);
        Assert.Equal("public", (await FetchAsync(new Uri($"http://rebind.test:{_site.Port}/"))).Html);
        Assert.Equal(["rebind.test"], _lookups);
        Assert.Contains($"Host: rebind.test:{_site.Port}", Assert.Single(_site.Requests), StringComparison.Ordinal);
        await FaultAsync(FetchFault.AddressRefused, FetchAsync(new Uri($"http://rebind.test:{_site.Port}/")));
        Assert.Equal(0, secret.Connections);
    }

    [Fact]
    public async Task Connections_are_not_reused_without_a_check()
    {
        _site.Html("/", "page");
        _lookup = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(_lookups.Count == 1 ? "127.0.0.1" : "10.0.0.1")]);
        var page = new Uri($"http://later.test:{_site.Port}/");
        Assert.Equal("page", (await FetchAsync(page)).Html);
        await FaultAsync(FetchFault.AddressRefused, FetchAsync(page));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("localhost.")]
    [InlineData("①②⑦.⓪.⓪.②")]
    public async Task Local_machine_names_are_resolved_and_checked(string host)
    {
        _lookup = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2")]);
        await FaultAsync(FetchFault.AddressRefused, FetchAsync(new Uri($"http://{host}:{_site.Port}/")));
        Assert.Equal(0, _site.Connections);
    }

    [Fact]
    public async Task The_next_address_of_a_name_is_tried_after_a_failure()
    {
        _options.AllowedNetworks.Add("127.0.0.9/32");
        _site.Html("/", "there");
        _lookup = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.9"), IPAddress.Loopback]);
        Assert.Equal("there", (await FetchAsync(new Uri($"http://two.test:{_site.Port}/"))).Html);
    }

    [Fact]
    public async Task A_caller_can_cancel()
    {
        var reached = new TaskCompletionSource();
        _site.Page(
            "/",
            async (stream, ct) =>
            {
                reached.SetResult();
                Assert.Equal(0, await stream.ReadAsync(new byte[1], ct));
            }
        );
        using var stop = new CancellationTokenSource();
        var fetching = Fetcher.FetchAsync(_site.Address, stop.Token);
        await reached.Task.WaitAsync(Patience);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetching.WaitAsync(Patience));
    }

    public async ValueTask DisposeAsync()
    {
        _fetcher?.Dispose();
        await _site.DisposeAsync();
    }

    private PageFetcher Fetcher =>
        _fetcher ??= new PageFetcher(
            Options.Create(_options),
            (host, ct) =>
            {
                _lookups.Add(host);
                return _lookup(host, ct);
            },
            _time
        );

    private Task<FetchedPage> FetchAsync(string path = "") => FetchAsync(new Uri(_site.Address, path));

    private Task<FetchedPage> FetchAsync(Uri address) =>
        Fetcher.FetchAsync(address, TestContext.Current.CancellationToken).WaitAsync(Patience);

    private static async Task FaultAsync(FetchFault fault, Task<FetchedPage> fetching) =>
        Assert.Equal(fault, (await Assert.ThrowsAsync<FetchException>(() => fetching)).Fault);

    private static byte[] Compress(byte[] data, string encoding)
    {
        using var result = new MemoryStream();
        using (
            Stream stream = encoding switch
            {
                "gzip" => new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true),
                "br" => new BrotliStream(result, CompressionLevel.Fastest, leaveOpen: true),
                _ => new ZLibStream(result, CompressionLevel.Fastest, leaveOpen: true),
            }
        )
        {
            stream.Write(data);
        }
        return result.ToArray();
    }
}

/// <summary>One test measures the whole process, so no other class runs meanwhile.</summary>
[CollectionDefinition(nameof(FetchTests), DisableParallelization = true)]
public sealed class FetchAlone;
