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

/// <summary>One address of the application, as its routing has it.</summary>
internal sealed record FuzzEndpoint(string Method, string Pattern, IReadOnlyList<string> Parameters)
{
    public override string ToString() => $"{Method} {Pattern}";
}

/// <summary>An application under test: real Kestrel, real SQLite in a folder of its own, and its log watched.</summary>
internal sealed class FuzzTarget : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-fuzz-");
    private WebApplication _app = null!;

    public LogWatch Log { get; } = new();

    public Uri Address { get; private set; } = null!;

    public IReadOnlyList<FuzzEndpoint> Endpoints { get; private set; } = [];

    /// <summary>Whether the pages have not been built, so that their addresses answer 503. <c>./test.sh</c> builds them before.</summary>
    public bool LacksPages { get; private set; }

    /// <summary>The host with all systems.</summary>
    public static async Task<FuzzTarget> StartHostAsync()
    {
        var target = new FuzzTarget();
        target._app = HostApplication.Build(
            new HostSettings
            {
                Port = 0,
                Data = target._folder.FullName,
                Demo = true,
            },
            services =>
            {
                target.Configure(services);
                Remove(services, typeof(Dunlin.Host.Announcement));
                services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = 100);
            }
        );
        return await target.StartAsync();
    }

    /// <summary>The engine alone.</summary>
    public static async Task<FuzzTarget> StartServerAsync(string signingKey)
    {
        var target = new FuzzTarget();
        var given = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Port"] = "0",
            ["Data"] = target._folder.FullName,
            ["Tokens:SigningKey"] = signingKey,
        };
        target._app = ServerApplication.Build(
            given,
            null,
            services =>
            {
                target.Configure(services);
                Remove(services, typeof(Dunlin.Server.Announcement));
            }
        );
        return await target.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<FuzzTarget> StartAsync()
    {
        await _app.StartAsync();
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        using (var client = new HttpClient())
        using (var page = await client.GetAsync(Address))
            LacksPages = (await page.Content.ReadAsStringAsync()).Contains("has not been built", StringComparison.Ordinal);
        Endpoints =
        [
            .. _app
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
        return this;
    }

    private void Configure(IServiceCollection services)
    {
        services.AddLogging(logging => logging.ClearProviders().AddProvider(Log).SetMinimumLevel(LogLevel.Information));
        services.Configure<HostingOptions>(options => options.DrainWindow = TimeSpan.Zero);
    }

    private static void Remove(IServiceCollection services, Type hosted) =>
        services.Remove(services.Single(service => service.ImplementationType == hosted));
}
