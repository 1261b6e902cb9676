using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Dunlin.Apps.Focus;
using Dunlin.Devices;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Focus.Tests;

/// <summary>The focus system behind a real Kestrel, on a SQLite file and manual time. Who asks is named by the header
/// <c>X-User</c>. It can be stopped and started again on the same file, as after an update or a crash.</summary>
internal sealed class FocusHost : IAsyncDisposable
{
    // What is under way while time moves sees no more of it at once.
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-focus-").FullName;
    private readonly Action<DunlinBuilder>? _engine;
    private readonly Action<WebApplication> _map;
    private WebApplication? _app;

    private FocusHost(Action<DunlinBuilder>? engine, Action<WebApplication>? map) =>
        (_engine, _map) = (engine, map ?? (static app => app.MapFocus()));

    public ManualTime Time { get; } = new();

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => _app!.Services;

    public UserDevices Devices => Services.GetRequiredService<UserDevices>();

    public IStore Store => Services.GetRequiredService<IStore>();

    public EventFanout Fanout => Services.GetRequiredService<EventFanout>();

    /// <param name="engine">What else the engine knows.</param>
    /// <param name="map">What is mapped instead of the focus system.</param>
    public static async Task<FocusHost> StartAsync(Action<DunlinBuilder>? engine = null, Action<WebApplication>? map = null)
    {
        var host = new FocusHost(engine, map);
        await host.StartAsync();
        return host;
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<TimeProvider>(Time);
        // Time moves by hours at once here: nothing that is under way meanwhile is to count as stuck.
        var dunlin = builder
            .Services.AddDunlin()
            .AddFocus()
            .AddTestStore(
                _folder,
                "focus.db",
                options =>
                {
                    options.WriteLimit = TimeSpan.FromHours(1);
                    // What a power cut takes is the store's own test; here its waiting for the disk would take most of the time.
                    options.Durability = SqliteDurability.Normal;
                    options.ReadLimit = TimeSpan.FromDays(1);
                }
            );
        _engine?.Invoke(dunlin);
        builder.Services.Configure<HostingOptions>(options => options.DrainWindow = TimeSpan.Zero);
        builder.Services.Configure<FanoutOptions>(options => options.WriteTimeout = TimeSpan.FromDays(30));
        var app = _app = builder.Build();
        app.UseDunlinProblems();
        app.Use(
            (context, next) =>
            {
                if ((string?)context.Request.Headers["X-User"] is { Length: > 0 } user)
                    context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", user), new Claim("name", user)], "test"));
                return next(context);
            }
        );
        app.MapDunlin();
        _map(app);
        await app.StartAsync();
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    /// <summary>Stops, lets the wall clock do what it does, and starts on the same file.</summary>
    public async Task RestartAsync(TimeSpan downFor = default)
    {
        await StopAsync();
        if (downFor < TimeSpan.Zero)
            Time.StepWallClock(downFor);
        else
            Time.Advance(downFor);
        await StartAsync();
    }

    /// <summary>Moves time on, and waits for what the schedule does about it.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            Time.Advance(left < Step ? left : Step);
            await SettledAsync();
        }
    }

    /// <summary>Waits for the schedule's work and for the deliveries that came of it.</summary>
    public async Task SettledAsync()
    {
        await Services.GetServices<IHostedService>().OfType<TimerKeeper>().Single().IdleAsync();
        await Fanout.SettledAsync();
    }

    public FocusClient Client(string? device = "laptop", string? user = "ann", string? userAgent = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (user is not null)
            client.DefaultRequestHeaders.Add("X-User", user);
        if (device is not null)
            client.DefaultRequestHeaders.Add("Dunlin-Device", device);
        if (userAgent is not null)
            client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", userAgent);
        return new FocusClient(client);
    }

    public async Task<EventReader<Envelope>> OpenAsync(string device = "laptop", string user = "ann", string? lastEventId = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/sse?deviceId={device}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        request.Headers.Add("X-User", user);
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(20));
        response.EnsureSuccessStatusCode();
        var reader = await Envelopes.OpenAsync(client, response);
        Assert.Equal("system:connected", (await reader.NextAsync()).Name);
        return reader;
    }

    public async Task StopAsync()
    {
        if (_app is not { } app)
            return;
        _app = null;
        await app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>One device of one user.</summary>
internal sealed class FocusClient(HttpClient client) : IDisposable
{
    public HttpClient Http => client;

    public async Task<(int Status, JsonElement Body)> SendAsync(
        string method,
        string path,
        object? body = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is string text)
            request.Content = new StringContent(text, System.Text.Encoding.UTF8, "application/json");
        else if (body is not null)
            request.Content = JsonContent.Create(body);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, answer.Length == 0 ? default : JsonDocument.Parse(answer).RootElement);
    }

    public async Task<JsonElement> OkAsync(string method, string path, object? body = null)
    {
        var (status, answer) = await SendAsync(method, path, body);
        Assert.True(status is >= 200 and < 300, $"{method} {path}: {status} {answer}");
        return answer;
    }

    public Task<JsonElement> TimerAsync() => OkAsync("GET", "/api/timer");

    public Task<JsonElement> CommandAsync(string command, object? body = null) => OkAsync("POST", "/api/timer/" + command, body);

    public async Task<JsonElement> RefusedAsync(string command, object? body = null)
    {
        var (status, answer) = await SendAsync("POST", "/api/timer/" + command, body);
        Assert.True(status == 409, $"{command}: {status} {answer}");
        return answer;
    }

    public async Task<string> TaskAsync(string title) =>
        (await OkAsync("POST", "/api/tasks", new { title })).GetProperty("id").GetString()!;

    public async Task<JsonElement> TaskNowAsync(string id) =>
        (await OkAsync("GET", "/api/tasks")).GetProperty("items").EnumerateArray().Single(t => t.GetProperty("id").GetString() == id);

    public void Dispose() => client.Dispose();
}
