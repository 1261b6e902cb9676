using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Dunlin.E2E.Tests.Support;

/// <summary>The faults of a proxy between browser and host. Immutable.</summary>
public sealed record ProxyFaults
{
    /// <summary>Gets whether a response is passed on only when it is complete.</summary>
    public bool Buffers { get; init; }

    /// <summary>Gets whether requests lose their headers <c>Upgrade</c> and <c>Connection</c>.</summary>
    public bool DropsUpgrade { get; init; }

    /// <summary>Gets the time without data after which a response is cut. Null for none.</summary>
    public TimeSpan? CutsIdleAfter { get; init; }

    /// <summary>Gets the share of stream requests that get 502, from 0 to 1.</summary>
    public double BadGateways { get; init; }

    /// <summary>Gets the seed of the 502 answers.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>A proxy with faults, on a free port: YARP's forwarder.</summary>
public sealed class TestProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _client;

    private TestProxy(WebApplication app, HttpMessageInvoker client, Uri address) => (_app, _client, Address) = (app, client, address);

    public Uri Address { get; }

    public static async Task<TestProxy> StartAsync(Uri target, ProxyFaults faults)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var client = new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                UseCookies = false,
            }
        );
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var config = new ForwarderRequestConfig { ActivityTimeout = faults.CutsIdleAfter ?? TimeSpan.FromHours(1) };
        var random = new Random(faults.Seed);
        app.Run(async context =>
        {
            if (IsStream(context.Request) && faults.BadGateways > 0 && Next(random) < faults.BadGateways)
            {
                context.Response.StatusCode = StatusCodes.Status502BadGateway;
                return;
            }
            if (faults.DropsUpgrade)
            {
                context.Request.Headers.Remove("Upgrade");
                context.Request.Headers.Remove("Connection");
            }
            var body = context.Response.Body;
            var buffer = new MemoryStream();
            if (faults.Buffers && !context.Request.Headers.ContainsKey("Upgrade"))
                context.Response.Body = buffer;
            var error = await forwarder.SendAsync(context, target.ToString(), client, config, SameHost.Instance);
            // As if there were no proxy: a page sees a network error when the host is down.
            if (error != ForwarderError.None)
            {
                context.Abort();
                return;
            }
            context.Response.Body = body;
            if (buffer.Length > 0)
                await body.WriteAsync(buffer.ToArray(), context.RequestAborted);
        });
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new TestProxy(app, client, new Uri(address));
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private static bool IsStream(HttpRequest request) =>
        request.Headers.Accept.ToString().StartsWith("text/event-stream", StringComparison.Ordinal)
        || request.Path.StartsWithSegments("/dunlin/v1/streams");

    private static double Next(Random random)
    {
        lock (random)
            return random.NextDouble();
    }

    /// <summary>Keeps the host of the request, which the origin check compares.</summary>
    private sealed class SameHost : HttpTransformer
    {
        public static readonly SameHost Instance = new();

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext,
            HttpRequestMessage proxyRequest,
            string destinationPrefix,
            CancellationToken cancellationToken
        )
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
        }
    }
}
