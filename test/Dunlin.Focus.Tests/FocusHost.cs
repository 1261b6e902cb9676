using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Dunlin.Apps.Focus;
using Dunlin.Apps.Focus.Timer;
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

/// <summary>
/// The focus system behind a real Kestrel, on a SQLite file and manual time. The header <c>X-User</c> names the caller. It can be restarted
/// on the same file, as after an update or a crash.
/// </summary>
internal sealed class FocusHost : IAsyncDisposable
{
    // Limits the time that passes at once for running work.
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(5);

    private readonly DunlinTestHost _host;

    private FocusHost(DunlinTestHost host) => _host = host;

    public ManualTime Time => _host.Time;

    public Uri Address => _host.Address;

    public IServiceProvider Services => _host.Services;

    public UserDevices Devices => _host.Get<UserDevices>();

    public IStore Store => _host.Store;

    public EventFanout Fanout => _host.Get<EventFanout>();

    /// <param name="engine">Adds to the engine.</param>
    /// <param name="map">Replaces the endpoints of the focus system.</param>
    public static async Task<FocusHost> StartAsync(Action<DunlinBuilder>? engine = null, Action<WebApplication>? map = null)
    {
        return new FocusHost(
            await DunlinTestHost.StartAsync(options =>
            {
                options.Dunlin = dunlin =>
                {
                    // Time jumps by hours, so running work must not exceed its limits.
                    dunlin
                        .AddFocus()
                        .AddTestStore(
                            options.Folder,
                            "focus.db",
                            store =>
                            {
                                store.WriteLimit = TimeSpan.FromHours(1);
                                // Power failures are tested with the store. Syncing to the disk would take most of the time here.
                                store.Durability = SqliteDurability.Normal;
                                store.ReadLimit = TimeSpan.FromDays(1);
                            }
                        );
                    engine?.Invoke(dunlin);
                };
                options.Services = services => services.Configure<FanoutOptions>(fanout => fanout.WriteTimeout = TimeSpan.FromDays(30));
                options.Map = map ?? (static app => app.MapFocus());
            })
        );
    }

    public Task StartAsync() => _host.StartAsync();

    /// <summary>Stops, advances the wall clock, and starts on the same file.</summary>
    public async Task RestartAsync(TimeSpan downFor = default)
    {
        await StopAsync();
        if (downFor < TimeSpan.Zero)
            Time.StepWallClock(downFor);
        else
            Time.Advance(downFor);
        await StartAsync();
    }

    /// <summary>Advances time and waits for the due work of the schedule.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            Time.Advance(left < Step ? left : Step);
            await SettledAsync();
        }
    }

    /// <summary>Waits for the schedule's work and its deliveries.</summary>
    public async Task SettledAsync()
    {
        await Services.GetServices<IHostedService>().OfType<TimerKeeper>().Single().IdleAsync();
        await Fanout.SettledAsync();
    }

    public FocusClient Client(string? device = "laptop", string? user = "ann", string? userAgent = null)
    {
        var client = _host.Client(user, device);
        if (userAgent is not null)
            client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", userAgent);
        return new FocusClient(client);
    }

    public async Task<EventStreamReader<Envelope>> OpenAsync(string device = "laptop", string user = "ann", string? lastEventId = null)
    {
        var reader = await _host
            .Client(user)
            .OpenStreamAsync($"/api/sse?deviceId={device}", Envelopes.Read, lastEventId, Envelopes.IsWanted);
        Assert.Equal("system:connected", (await reader.NextAsync()).Name);
        return reader;
    }

    public Task StopAsync() => _host.StopAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();
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
        var answer = await client.SendJsonAsync(method, path, body, headers);
        return (answer.Status, answer.Body);
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
