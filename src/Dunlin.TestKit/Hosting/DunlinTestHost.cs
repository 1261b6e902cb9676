using System.Net;
using System.Net.ServerSentEvents;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Publishing;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.TestKit;

/// <summary>Runs a web application with Dunlin for one test: Kestrel on a free port, a separate folder, manual time, and a log of all
/// entries. Not thread-safe; its clients are.</summary>
/// <remarks>The host can be stopped and started again on the same port and folder.</remarks>
/// <example>
/// <code>
/// await using var host = await DunlinTestHost.StartAsync();
/// await using var stream = await host.OpenAsync("/dunlin/v1/events?topic=orders", user: "alice");
/// </code>
/// </example>
public sealed class DunlinTestHost : IAsyncDisposable
{
    private readonly Func<DunlinTestHost, WebApplication> _build;
    private readonly DirectoryInfo _folder;
    private WebApplication? _app;

    private DunlinTestHost(Func<DunlinTestHost, WebApplication> build, ManualTime time, DirectoryInfo folder) =>
        (_build, Time, _folder) = (build, time, folder);

    /// <summary>Gets the clock of the host.</summary>
    public ManualTime Time { get; }

    /// <summary>Gets the log of the host.</summary>
    public TestLog Log { get; } = new();

    /// <summary>Gets the folder of this host, which is deleted on disposal.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Gets the base address, for example <c>http://127.0.0.1:41234/</c>.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Gets the port. It is 0 before the first start, so that a build function can pass it on.</summary>
    public int Port => Address?.Port ?? 0;

    /// <summary>Gets the running application.</summary>
    /// <exception cref="InvalidOperationException">The host is stopped.</exception>
    public WebApplication App => _app ?? throw new InvalidOperationException("The host is stopped.");

    /// <summary>Gets the services of the running application.</summary>
    public IServiceProvider Services => App.Services;

    /// <summary>Gets the journal of the engine.</summary>
    public IJournal Journal => Get<IJournal>();

    /// <summary>Gets the store of the engine.</summary>
    public IStore Store => Get<IStore>();

    /// <summary>Starts an application that consists of the engine and the parts that the options add.</summary>
    /// <param name="configure">Sets options. Default: null.</param>
    /// <returns>The started host.</returns>
    public static Task<DunlinTestHost> StartAsync(Action<DunlinTestHostOptions>? configure = null)
    {
        var folder = NewFolder();
        var options = new DunlinTestHostOptions { Folder = folder.FullName };
        configure?.Invoke(options);
        return StartAsync(new DunlinTestHost(host => host.Build(options), options.Time, folder));
    }

    /// <summary>Starts an application that a function builds, such as the one of your <c>Program.cs</c>.</summary>
    /// <param name="build">Builds the application with <see cref="Folder"/>, <see cref="Port"/> and <see cref="Configure"/>. A restart
    /// calls it again.</param>
    /// <param name="time">The clock. Default: null, which creates manual time.</param>
    /// <returns>The started host.</returns>
    public static Task<DunlinTestHost> StartAsync(Func<DunlinTestHost, WebApplication> build, ManualTime? time = null) =>
        StartAsync(new DunlinTestHost(build, time ?? new ManualTime(), NewFolder()));

    private static DirectoryInfo NewFolder() => Directory.CreateTempSubdirectory("dunlin-test-");

    private static async Task<DunlinTestHost> StartAsync(DunlinTestHost host)
    {
        try
        {
            await host.StartAsync();
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        return host;
    }

    /// <summary>Returns a service of the running application.</summary>
    /// <typeparam name="T">The type of the service.</typeparam>
    /// <exception cref="InvalidOperationException">The service is not registered, or the host is stopped.</exception>
    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>Adds the clock and the log of the host to an application, and sets a drain window of zero.</summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="manualTime">Whether the application uses <see cref="Time"/>. False uses the system time. Default: true.</param>
    /// <param name="logLevel">The lowest logged level. Default: <see cref="LogLevel.Information"/>.</param>
    public void Configure(IServiceCollection services, bool manualTime = true, LogLevel logLevel = LogLevel.Information)
    {
        if (manualTime)
            services.AddSingleton<TimeProvider>(Time);
        services.AddLogging(logging => logging.ClearProviders().AddProvider(Log).SetMinimumLevel(logLevel));
        services.Configure<HostingOptions>(static options => options.DrainWindow = TimeSpan.Zero);
    }

    /// <summary>Starts the host, for the first time or again after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        var app = _build(this);
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        _app = app;
    }

    /// <summary>Stops the host. Open requests have five seconds to end.</summary>
    public async Task StopAsync()
    {
        if (_app is not { } app)
            return;
        _app = null;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await app.StopAsync(limit.Token);
        await app.DisposeAsync();
    }

    /// <summary>Stops the host and starts it again on the same port and folder, like a deployment.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Returns a client without cookies and without a time-out.</summary>
    /// <param name="user">The user that <see cref="TestUsers"/> signs in. Null for none.</param>
    /// <param name="device">The value of <c>Dunlin-Device</c>. Null for none.</param>
    public HttpClient Client(string? user = null, string? device = null)
    {
        var client = TestClients.New(Address);
        if (user is not null)
            client.DefaultRequestHeaders.Add(TestUsers.Header, user);
        if (device is not null)
            client.DefaultRequestHeaders.Add("Dunlin-Device", device);
        return client;
    }

    /// <summary>Opens an event stream, and returns after its response headers.</summary>
    /// <param name="pathAndQuery">For example <c>/dunlin/v1/events?topic=orders</c>.</param>
    /// <param name="user">The user. Null for none.</param>
    /// <param name="lastEventId">The position to resume after. Null for none.</param>
    /// <param name="device">The device. Null for none.</param>
    /// <exception cref="InvalidOperationException">The server refused the stream. The message contains its response.</exception>
    public Task<EventStreamReader<SseItem<string>>> OpenAsync(
        string pathAndQuery,
        string? user = null,
        string? lastEventId = null,
        string? device = null
    ) => Client(user, device).OpenStreamAsync(pathAndQuery, static item => item, lastEventId);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private WebApplication Build(DunlinTestHostOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        options.Builder?.Invoke(builder);
        builder
            .WebHost.UseDirectTransport()
            .UseKestrelHttpsConfiguration()
            .ConfigureKestrel(options.Listen ?? (kestrel => kestrel.Listen(IPAddress.Loopback, Port)));
        Configure(builder.Services, logLevel: options.LogLevel);
        builder.Services.AddHealthChecks().AddDunlin();
        var dunlin = builder.Services.AddDunlin();
        if (options.Dunlin is null)
            dunlin.AddInMemory();
        else
            options.Dunlin(dunlin);
        // Manual time refills no token bucket.
        builder.Services.Configure<PublishOptions>(static o => (o.PerSecond, o.TopicsPerHour, o.KeysPerHour) = (0, 0, 0));
        builder.Services.Configure<LeaseOptions>(static o => o.RequestsPerSecond = 0);
        options.Services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseDunlinProblems();
        options.Authentication(app);
        app.MapDunlin();
        app.MapDunlinHealth();
        options.Map?.Invoke(app);
        return app;
    }
}
