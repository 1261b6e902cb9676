using System.Net;
using System.Net.Http.Json;
using Dunlin.Accounts;
using Dunlin.Host;
using Dunlin.Hosting;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// The complete host with demo data in this process: real Kestrel, a real SQLite file in its own folder, the real pages. The test controls
/// the server's time.
/// </summary>
public sealed class TestHost : IAsyncDisposable
{
    private readonly DunlinTestHost _host;
    private readonly List<IBrowserContext> _contexts = [];
    private readonly List<PageErrors> _errors = [];
    private readonly List<HttpStatusCode> _refusals = [];

    private readonly TestProxy? _proxy;

    private TestHost(DunlinTestHost host, TestProxy? proxy) => (_host, _proxy) = (host, proxy);

    public ManualTime Time => _host.Time;

    /// <summary>Gets the address for pages and requests: of the proxy, if there is one.</summary>
    public Uri Address => _proxy?.Address ?? _host.Address;

    public IServiceProvider Services => _host.Services;

    /// <summary>Gets the proxy that all tests use, from <c>DUNLIN_TEST_PROXY</c>: <c>no-sse</c>, or <c>long-poll</c>, which lets neither
    /// streams nor WebSockets pass. Null without the variable.</summary>
    private static ProxyFaults? FaultsOfRun =>
        Environment.GetEnvironmentVariable("DUNLIN_TEST_PROXY") switch
        {
            null or "" => null,
            "no-sse" => new ProxyFaults { Buffers = true },
            "long-poll" => new ProxyFaults { Buffers = true, DropsUpgrade = true },
            var other => throw new InvalidOperationException($"DUNLIN_TEST_PROXY is '{other}'. Use no-sse or long-poll."),
        };

    /// <summary>Starts the host.</summary>
    /// <param name="configure">Adds services.</param>
    /// <param name="faults">The faults of a proxy in front of the host. Null: those of the test run.</param>
    /// <param name="map">Maps further endpoints.</param>
    public static async Task<TestHost> StartAsync(
        Action<IServiceCollection>? configure = null,
        ProxyFaults? faults = null,
        Action<WebApplication>? map = null
    )
    {
        // Starts at the real time, so that cookies and dates match those of the browser. Then only the test advances it.
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        var host = await DunlinTestHost.StartAsync(host => Build(host, configure, map), time);
        return new TestHost(host, (faults ?? FaultsOfRun) is { } given ? await TestProxy.StartAsync(host.Address, given) : null);
    }

    /// <summary>Restarts the host on the same address and file, as a deployment does.</summary>
    public Task RestartAsync() => _host.RestartAsync();

    /// <summary>Starts a stopped host on the same address and file.</summary>
    public Task ContinueAsync() => _host.StartAsync();

    public Task StopAsync() => _host.StopAsync();

    /// <summary>Opens a separate browser context without a session or page.</summary>
    public async Task<IBrowserContext> ContextAsync(IBrowser browser, BrowserNewContextOptions? options = null)
    {
        var context = await browser.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        _contexts.Add(context);
        _errors.Add(new PageErrors(context, _refusals));
        return context;
    }

    /// <summary>Declares an expected error status, which the browser logs without a fault of the page.</summary>
    public void ExpectRefusals(HttpStatusCode status) => _refusals.Add(status);

    /// <summary>Opens a separate browser context for a user, signed in, on a page.</summary>
    public async Task<IPage> OpenAsync(IBrowser browser, string user, string path, BrowserNewContextOptions? options = null)
    {
        var context = await ContextAsync(browser, options);
        var login = await context.APIRequest.PostAsync(
            new Uri(Address, "/api/v1/auth/login").ToString(),
            new APIRequestContextOptions { DataObject = new { username = user, password = DemoData.Password } }
        );
        Assert.True(login.Ok, await login.TextAsync());
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(Address, path).ToString());
        return page;
    }

    /// <summary>Returns a signed-in client for requests besides the browser.</summary>
    public async Task<HttpClient> ClientAsync(string user)
    {
        var client = TestClients.New(Address);
        await client.SignInAsync(user, DemoData.Password);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var context in _contexts)
            await context.CloseAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        await _host.DisposeAsync();
        foreach (var errors in _errors)
            errors.RequireNone();
    }

    private static WebApplication Build(DunlinTestHost host, Action<IServiceCollection>? configure, Action<WebApplication>? map)
    {
        var app = DemoHost.Build(
            host,
            configure: services =>
            {
                // Time jumps here, and a unit of work that runs for the first time on a busy machine would exceed its limit.
                services.Configure<SqliteOptions>(sqlite => sqlite.WriteLimit = TimeSpan.FromHours(1));
                configure?.Invoke(services);
            }
        );
        map?.Invoke(app);
        return app;
    }
}
