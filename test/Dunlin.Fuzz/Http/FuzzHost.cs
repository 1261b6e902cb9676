using System.Net;
using System.Text.RegularExpressions;
using Dunlin.Host;
using Dunlin.Hosting;
using Dunlin.Leases;
using Dunlin.Publishing;
using Dunlin.Security;
using Dunlin.Server;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Fuzz.Http;

/// <summary>One endpoint of the application's routing.</summary>
internal sealed record FuzzEndpoint(string Method, string Pattern, IReadOnlyList<string> Parameters)
{
    public override string ToString() => $"{Method} {Pattern}";
}

/// <summary>An application under test: real Kestrel, real SQLite in its own folder, and a monitored log.</summary>
internal sealed class FuzzHost : IAsyncDisposable
{
    private const string InspectorPath = "/dunlin/inspect/";

    private readonly DunlinTestHost _host;

    private FuzzHost(DunlinTestHost host) => _host = host;

    public Uri Address => _host.Address;

    public IServiceProvider Services => _host.Services;

    public IReadOnlyList<FuzzEndpoint> Endpoints { get; private set; } = [];

    /// <summary>Whether the pages are not built, so that their addresses answer 503. <c>./test.sh</c> builds them before.</summary>
    public bool LacksPages { get; private set; }

    /// <summary>Whether the page of the inspector is not built, so that its addresses answer 503.</summary>
    public bool LacksInspector { get; private set; }

    /// <summary>Returns whether a page of a target is not built: it answers 503 then.</summary>
    public bool Lacks(string pathAndQuery) =>
        pathAndQuery.StartsWith(InspectorPath, StringComparison.Ordinal)
            ? LacksInspector
            : LacksPages
                && !Regex.IsMatch(pathAndQuery, "^/(api|dunlin|healthz|openapi)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));

    /// <summary>The host with all systems.</summary>
    public static async Task<FuzzHost> StartHostAsync() =>
        await StartAsync(await DunlinTestHost.StartAsync(static host => DemoHost.Build(host, manualTime: false, configure: Configure)));

    /// <summary>The engine alone.</summary>
    public static async Task<FuzzHost> StartServerAsync(string signingKey) =>
        await StartAsync(
            await DunlinTestHost.StartAsync(host =>
                ServerApplication.Build(
                    new Dictionary<string, string?>(StringComparer.Ordinal)
                    {
                        ["Port"] = "0",
                        ["Data"] = host.Folder,
                        ["Tokens:SigningKey"] = signingKey,
                        ["Yjs:Enabled"] = "true",
                        ["DurableStreams:Enabled"] = "true",
                        ["Webhooks:Enabled"] = "true",
                        ["Mercure:Enabled"] = "true",
                        ["Mercure:Url"] = "https://hub.example/.well-known/mercure",
                        ["Mercure:Dialects"] = "Both",
                    },
                    null,
                    services =>
                    {
                        host.Configure(services, manualTime: false);
                        services.Remove(services.Single(service => service.ImplementationType == typeof(Dunlin.Server.Announcement)));
                        Configure(services);
                    }
                )
            )
        );

    /// <summary>
    /// Returns log entries since the last call that a client's fault must not cause: errors, and stack traces at a level that operators
    /// read.
    /// </summary>
    public IReadOnlyList<string> TakeFaults() =>
        [
            .. _host
                .Log.Take()
                .Where(static e =>
                    e.Level is LogLevel.Error or LogLevel.Critical || (e.Exception is not null && e.Level >= LogLevel.Information)
                )
                .Where(static e => !IsSecondRead(e))
                .Select(static e => e.ToString()),
        ];

    // Kestrel 10 throws the end of an incomplete body without completing its read of the connection, and sometimes begins a second one. It
    // does so without Dunlin too.
    private static bool IsSecondRead(TestLogEntry entry) =>
        entry.Category == "Microsoft.AspNetCore.Server.Kestrel"
        && entry.Exception is InvalidOperationException { Message: "Reading is already in progress." };

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    // Rates would refuse most requests. Tokens live as long as a run.
    private static void Configure(IServiceCollection services)
    {
        services.AddSingleton<IStartupFilter, RequestEcho>();
        services.Configure<PublishOptions>(static o => (o.PerSecond, o.TopicsPerHour, o.KeysPerHour) = (0, 0, 0));
        services.Configure<LeaseOptions>(static o => o.RequestsPerSecond = 0);
        services.Configure<AccessTokenOptions>(static o => o.Lifetime = TimeSpan.FromDays(1));
    }

    private static async Task<FuzzHost> StartAsync(DunlinTestHost host)
    {
        var target = new FuzzHost(host);
        using (var client = new HttpClient())
        using (var page = await client.GetAsync(host.Address))
            target.LacksPages = (await page.Content.ReadAsStringAsync()).Contains("has not been built", StringComparison.Ordinal);
        using (var client = new HttpClient())
        using (var page = await client.GetAsync(new Uri(host.Address, InspectorPath)))
            target.LacksInspector = page.StatusCode == HttpStatusCode.ServiceUnavailable;
        target.Endpoints =
        [
            .. host
                .Services.GetRequiredService<EndpointDataSource>()
                .Endpoints.OfType<RouteEndpoint>()
                .SelectMany(endpoint =>
                    (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method => new FuzzEndpoint(
                        method,
                        "/" + endpoint.RoutePattern.RawText?.TrimStart('/'),
                        [.. endpoint.RoutePattern.Parameters.Select(parameter => parameter.Name)]
                    ))
                )
                .Distinct()
                .OrderBy(endpoint => endpoint.ToString(), StringComparer.Ordinal),
        ];
        return target;
    }
}
