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

/// <summary>The whole host with its demo, in this process: real Kestrel, a real SQLite file in a folder of its own, the real
/// pages. The server's time is the test's.</summary>
public sealed class TestHost : IAsyncDisposable
{
    private readonly string _folder;
    private readonly List<IBrowserContext> _contexts = [];
    private readonly List<PageErrors> _errors = [];
    private readonly List<HttpStatusCode> _refusals = [];
    private readonly Action<IServiceCollection>? _configure;
    private WebApplication _app;

    private TestHost(WebApplication app, string folder, ManualTime time, Action<IServiceCollection>? configure) =>
        (_app, _folder, Time, _configure) = (app, folder, time, configure);

    public ManualTime Time { get; }

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    public static async Task<TestHost> StartAsync(Action<IServiceCollection>? configure = null)
    {
        // The wall clock is the browser's, so that cookies and dates agree; from here on it stands still.
        var (folder, time) = (Directory.CreateTempSubdirectory("dunlin-e2e-").FullName, new ManualTime(TimeProvider.System.GetUtcNow()));
        var host = new TestHost(Build(folder, time, 0, configure), folder, time, configure);
        await host.BeginAsync();
        return host;
    }

    /// <summary>Stops the host and starts it again on the same address and file, as a deployment does.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await ContinueAsync();
    }

    /// <summary>Starts a host that was stopped, on the same address and file.</summary>
    public Task ContinueAsync()
    {
        _app = Build(_folder, Time, Address.Port, _configure);
        return BeginAsync();
    }

    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    /// <summary>A browser of its own, with nobody signed in and no page open.</summary>
    public async Task<IBrowserContext> ContextAsync(IBrowser browser, BrowserNewContextOptions? options = null)
    {
        var context = await browser.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        _contexts.Add(context);
        _errors.Add(new PageErrors(context, _refusals));
        return context;
    }

    /// <summary>Says that the test is about answers of this status: the browser logs them, and they are no faults of the page.</summary>
    public void ExpectRefusals(HttpStatusCode status) => _refusals.Add(status);

    /// <summary>A browser of its own for a user, signed in, on a page.</summary>
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

    /// <summary>A client signed in as a user, for what happens beside the browser.</summary>
    public async Task<HttpClient> ClientAsync(string user)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
        };
        using var login = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = user, password = DemoData.Password });
        var answer = await login.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>();
        client.DefaultRequestHeaders.Authorization = new("Bearer", answer.GetProperty("accessToken").GetString());
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var context in _contexts)
            await context.CloseAsync();
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
        foreach (var errors in _errors)
            errors.RequireNone();
    }

    private static WebApplication Build(string folder, ManualTime time, int port, Action<IServiceCollection>? configure) =>
        HostApplication.Build(
            new HostSettings { Port = port, Data = folder },
            services =>
            {
                services.AddSingleton<TimeProvider>(time);
                services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = 100);
                // Time leaps here, and a unit that is run for the first time on a busy machine would be given up for what it leapt over.
                services.Configure<SqliteOptions>(sqlite => sqlite.WriteLimit = TimeSpan.FromHours(1));
                // Time stands still, so closing streams in waves would wait for ever.
                services.Configure<HostingOptions>(hosting => hosting.DrainWindow = TimeSpan.Zero);
                services.AddLogging(logging => logging.ClearProviders());
                configure?.Invoke(services);
            }
        );

    private async Task BeginAsync()
    {
        await _app.StartAsync();
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }
}
