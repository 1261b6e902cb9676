using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Dunlin.Sse;
using Dunlin.TestKit;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>Clients of Kestrel see no difference with Dunlin's transport: plain, over TLS, over HTTP/2, and as slow readers.</summary>
public sealed class DirectTransportTests
{
    private const int LargeBytes = 24 * 1024 * 1024;

    [Theory]
    [InlineData("http", "1.1")]
    [InlineData("https", "1.1")]
    [InlineData("https", "2.0")]
    public async Task A_body_larger_than_the_window_arrives_complete(string scheme, string version)
    {
        await using var server = await Server.StartAsync(scheme);
        using var client = server.Client(version);
        using var response = await client.GetAsync("/large", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(Version.Parse(version), response.Version);
        using var body = await response.Content.ReadAsStreamAsync();
        Assert.Equal(Convert.ToHexString(SHA256.HashData(Large())), Convert.ToHexString(await SHA256.HashDataAsync(body)));
    }

    [Theory]
    [InlineData("http", "1.1")]
    [InlineData("https", "2.0")]
    public async Task Concurrent_requests_get_their_own_answers(string scheme, string version)
    {
        await using var server = await Server.StartAsync(scheme);
        using var client = server.Client(version);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.GetStringAsync($"/echo/{i}")));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => string.Join(',', Enumerable.Repeat(i, 500))), answers);
    }

    [Fact]
    public async Task A_stalled_reader_blocks_only_its_own_writer_and_loses_nothing()
    {
        await using var server = await Server.StartAsync("http");
        using var slow = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8 * 1024 };
        await slow.ConnectAsync(server.Address.Host, server.Address.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        await server.LargeBegun.Task.WaitAsync(TimeSpan.FromSeconds(20));
        using var client = server.Client("1.1");
        Assert.StartsWith("7,7,", await client.GetStringAsync("/echo/7"), StringComparison.Ordinal);
        Assert.False(server.LargeEnded.Task.IsCompleted);
        using var stream = new NetworkStream(slow);
        using var received = new MemoryStream();
        await stream.CopyToAsync(received);
        await server.LargeEnded.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var bytes = received.GetBuffer().AsSpan(0, (int)received.Length);
        var head = bytes.IndexOf("\r\n\r\n"u8) + 4;
        Assert.Equal(LargeBytes, bytes.Length - head);
        Assert.True(bytes[head..].SequenceEqual(Large()));
    }

    [Fact]
    public async Task A_peer_that_disappears_during_a_send_ends_the_request()
    {
        await using var server = await Server.StartAsync("http");
        var gone = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveBufferSize = 8 * 1024,
            LingerState = new LingerOption(true, 0),
        };
        await gone.ConnectAsync(server.Address.Host, server.Address.Port);
        await gone.SendAsync(Encoding.ASCII.GetBytes("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
        await server.LargeBegun.Task.WaitAsync(TimeSpan.FromSeconds(20));
        gone.Dispose(); // sends a reset, because the socket does not linger
        await server.LargeEnded.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(server.LargeEnded.Task.IsCompleted);
    }

    [Theory]
    [InlineData("http", "1.1", "/frames")]
    [InlineData("http", "1.1", "/wrapped/frames")]
    [InlineData("https", "1.1", "/wrapped/frames")]
    [InlineData("https", "2.0", "/frames")]
    public async Task Frames_arrive_complete_and_in_order_through_any_transport(string scheme, string version, string path)
    {
        var seed = TestSeed.NewRandom(out _).Next(1_000_000);
        await using var server = await Server.StartAsync(scheme);
        using var client = server.Client(version, connections: 1);
        for (var i = 0; i < 4; i++)
        {
            using var response = await client.GetAsync($"{path}?seed={seed + i}", HttpCompletionOption.ResponseHeadersRead);
            var body = await response.Content.ReadAsByteArrayAsync();
            Assert.Equal(
                Convert.ToHexString(SHA256.HashData(Frames(seed + i).SelectMany(frame => frame.Bytes).ToArray())),
                Convert.ToHexString(SHA256.HashData(body))
            );
        }
        Assert.Equal(path == "/frames" ? 0 : 4, server.SeenByMiddleware);
    }

    // Mostly single frames, sometimes several per flush, sometimes one that exceeds every window.
    private static IEnumerable<(byte[] Bytes, bool Flush)> Frames(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 300; i++)
        {
            var bytes = new byte[random.Next(20) == 0 ? random.Next(1, 400_000) : random.Next(1, 300)];
            random.NextBytes(bytes);
            yield return (bytes, i == 0 || random.Next(3) > 0);
        }
    }

    private static byte[] Large()
    {
        var bytes = new byte[LargeBytes];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)((i * 31) + (i >> 13));
        return bytes;
    }

    private sealed class Server : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private Server(WebApplication app) => _app = app;

        public Uri Address { get; private set; } = null!;

        public int SeenByMiddleware { get; private set; }

        public TaskCompletionSource LargeBegun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource LargeEnded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static async Task<Server> StartAsync(string scheme)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrelHttpsConfiguration();
            Server? server = null;
            builder
                .WebHost.UseDirectTransport()
                .ConfigureKestrel(kestrel =>
                {
                    kestrel.Limits.MinResponseDataRate = null;
                    kestrel.Listen(
                        IPAddress.Loopback,
                        0,
                        listen =>
                        {
                            listen.Protocols = scheme == "https" ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
                            if (scheme == "https")
                                listen.UseHttps(TestCertificate.Create());
                        }
                    );
                });
            var app = builder.Build();
            server = new Server(app);
            app.MapGet("/frames", server.FramesAsync);
            app.Map("/wrapped", wrapped => wrapped.Use(server.WatchAsync).Run(server.FramesAsync));
            app.MapGet("/echo/{n:int}", (int n) => string.Join(',', Enumerable.Repeat(n, 500)));
            app.MapGet("/large", server.LargeAsync);
            await app.StartAsync();
            server.Address = new Uri(
                app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()
            );
            return server;
        }

        public HttpClient Client(string version, int connections = int.MaxValue) =>
            new(
                new SocketsHttpHandler
                {
                    MaxConnectionsPerServer = connections,
                    SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
                }
            )
            {
                BaseAddress = Address,
                DefaultRequestVersion = Version.Parse(version),
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };

        public async ValueTask DisposeAsync()
        {
            await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(2)).Token);
            await _app.DisposeAsync();
        }

        /// <summary>Replaces the server's response body, as compression middleware does.</summary>
        private async Task WatchAsync(HttpContext context, RequestDelegate next)
        {
            var body = context.Features.Get<IHttpResponseBodyFeature>()!;
            var watched = new StreamResponseBodyFeature(body.Stream, body);
            context.Features.Set<IHttpResponseBodyFeature>(watched);
            await next(context);
            await watched.CompleteAsync();
            context.Features.Set(body);
            SeenByMiddleware++;
        }

        private async Task FramesAsync(HttpContext context)
        {
            var sink = new PipeFrameSink(context);
            StreamHeaders.Apply(context, "c1", sink);
            foreach (var (bytes, flush) in Frames(int.Parse(context.Request.Query["seed"]!, CultureInfo.InvariantCulture)))
            {
                sink.Write(bytes);
                if (flush)
                    Assert.True(await sink.FlushAsync());
            }
            await sink.EndAsync();
            sink.Detach();
        }

        private async Task LargeAsync(HttpContext context)
        {
            try
            {
                var bytes = Large();
                context.Response.ContentLength = bytes.Length;
                for (var at = 0; at < bytes.Length; at += 100_000)
                {
                    await context.Response.Body.WriteAsync(
                        bytes.AsMemory(at, Math.Min(100_000, bytes.Length - at)),
                        context.RequestAborted
                    );
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                    LargeBegun.TrySetResult();
                }
            }
            catch (Exception error) when (error is OperationCanceledException or IOException)
            {
                // The peer is gone; the test waits for the end.
            }
            finally
            {
                LargeEnded.TrySetResult();
            }
        }
    }
}
