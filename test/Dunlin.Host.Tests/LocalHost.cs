using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Hosting;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Host.Tests;

/// <summary>The shipped host in this process, with demo data.</summary>
internal sealed class LocalHost : IAsyncDisposable
{
    private readonly DunlinTestHost _host;

    private LocalHost(DunlinTestHost host) => _host = host;

    public Uri Address => _host.Address;

    /// <summary>The endpoints with their methods and an example address.</summary>
    public IEnumerable<(string Method, string Path)> Endpoints =>
        from endpoint in _host
            .Services.GetServices<EndpointDataSource>()
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Concat(((IEndpointRouteBuilder)_host.App).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>())
            .Distinct()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        select (method, PathOf(endpoint.RoutePattern));

    public static async Task<LocalHost> StartAsync() =>
        new(await DunlinTestHost.StartAsync(static host => DemoHost.Build(host, manualTime: false)));

    /// <summary>Returns a client without cookies, and the header <c>Cookie</c> of a session.</summary>
    public async Task<(HttpClient Client, string Cookie, string Token)> SignInAsync(string user)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = Address };
        using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = user, password = DemoData.Password });
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, answer.ToString());
        return (client, response.Headers.GetValues("Set-Cookie").Single().Split(';')[0], answer.GetProperty("accessToken").GetString()!);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static string PathOf(Microsoft.AspNetCore.Routing.Patterns.RoutePattern pattern) =>
        "/"
        + string.Join(
            '/',
            pattern.PathSegments.Select(segment =>
                string.Concat(
                    segment.Parts.Select(part =>
                        part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : "1"
                    )
                )
            )
        );
}
