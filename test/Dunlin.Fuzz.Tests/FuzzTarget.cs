using Dunlin.Host;
using Dunlin.Hosting;
using Dunlin.Server;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Fuzz.Tests;

/// <summary>One endpoint of the application's routing.</summary>
internal sealed record FuzzEndpoint(string Method, string Pattern, IReadOnlyList<string> Parameters)
{
    public override string ToString() => $"{Method} {Pattern}";
}

/// <summary>An application under test: real Kestrel, real SQLite in its own folder, and a monitored log.</summary>
internal sealed class FuzzTarget : IAsyncDisposable
{
    private readonly DunlinTestHost _host;

    private FuzzTarget(DunlinTestHost host) => _host = host;

    public Uri Address => _host.Address;

    public IReadOnlyList<FuzzEndpoint> Endpoints { get; private set; } = [];

    /// <summary>Whether the pages are not built, so that their addresses answer 503. <c>./test.sh</c> builds them before.</summary>
    public bool LacksPages { get; private set; }

    /// <summary>The host with all systems.</summary>
    public static async Task<FuzzTarget> StartHostAsync() =>
        await StartAsync(await DunlinTestHost.StartAsync(static host => DemoHost.Build(host, manualTime: false)));

    /// <summary>The engine alone.</summary>
    public static async Task<FuzzTarget> StartServerAsync(string signingKey) =>
        await StartAsync(
            await DunlinTestHost.StartAsync(host =>
                ServerApplication.Build(
                    new Dictionary<string, string?>(StringComparer.Ordinal)
                    {
                        ["Port"] = "0",
                        ["Data"] = host.Folder,
                        ["Tokens:SigningKey"] = signingKey,
                        ["Yjs:Enabled"] = "true",
                    },
                    null,
                    services =>
                    {
                        host.Configure(services, manualTime: false);
                        services.Remove(services.Single(service => service.ImplementationType == typeof(Dunlin.Server.Announcement)));
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
                .Select(static e => e.ToString()),
        ];

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static async Task<FuzzTarget> StartAsync(DunlinTestHost host)
    {
        var target = new FuzzTarget(host);
        using (var client = new HttpClient())
        using (var page = await client.GetAsync(host.Address))
            target.LacksPages = (await page.Content.ReadAsStringAsync()).Contains("has not been built", StringComparison.Ordinal);
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
