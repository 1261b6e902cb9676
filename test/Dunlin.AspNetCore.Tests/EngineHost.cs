using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Claims;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Publishing;
using Dunlin.TestKit;
using Dunlin.Topics;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests;

/// <summary>The engine behind a real Kestrel, in memory and on manual time. Who asks is named by the header <c>X-User</c>
/// (<c>name</c> or <c>name:session</c>): any authentication can stand before the engine.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EngineHost(WebApplication app, ManualTime time, LogCapture log) => (_app, Time, Log) = (app, time, log);

    public ManualTime Time { get; }

    public LogCapture Log { get; }

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    public EventFanout Fanout => Services.GetRequiredService<EventFanout>();

    public IJournal Journal => Services.GetRequiredService<IJournal>();

    /// <summary>What the policy refuses; names and patterns are looked up as a whole.</summary>
    public HashSet<string> Refused => Services.GetRequiredService<TestPolicy>().Refused;

    public static async Task<EngineHost> StartAsync(
        Action<IServiceCollection>? configure = null,
        Action<DunlinBuilder>? engine = null,
        Action<WebApplication>? map = null,
        Action<KestrelServerOptions>? listen = null
    )
    {
        var (time, log) = (new ManualTime(), new LogCapture());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseDirectTransport().ConfigureKestrel(listen ?? (static kestrel => kestrel.Listen(IPAddress.Loopback, 0)));
        builder.Services.AddSingleton<TimeProvider>(time).AddSingleton<TestPolicy>();
        builder.Services.AddHealthChecks().AddDunlin();
        var dunlin = builder.Services.AddDunlin().AddInMemory().AddAccessPolicy<TestPolicy>("");
        builder.Services.Configure<HostingOptions>(o => o.DrainWindow = TimeSpan.Zero); // time stands still: waves would wait for ever
        // Time stands still, so no bucket would fill again.
        builder.Services.Configure<PublishOptions>(o => (o.PerSecond, o.TopicsPerHour, o.KeysPerHour) = (0, 0, 0));
        builder.Services.Configure<LeaseOptions>(o => o.RequestsPerSecond = 0);
        engine?.Invoke(dunlin);
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseDunlinProblems();
        app.Use(
            (context, next) =>
            {
                if ((string?)context.Request.Headers["X-User"] is { Length: > 0 } user)
                    context.User = Principal(user);
                return next(context);
            }
        );
        app.MapDunlin();
        app.MapDunlinHealth();
        map?.Invoke(app);
        var host = new EngineHost(app, time, log);
        await app.StartAsync();
        host.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return host;
    }

    public HttpClient Client(string? user = "ann")
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (user is not null)
            client.DefaultRequestHeaders.Add("X-User", user);
        return client;
    }

    public Task<EventReader<SseItem<string>>> OpenAsync(
        string pathAndQuery,
        string? user = "ann",
        string? lastEventId = null,
        string? device = null
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Get, pathAndQuery);
        if (lastEventId is not null)
            Assert.True(request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId));
        if (device is not null)
            request.Headers.Add("Dunlin-Device", device);
        return OpenAsync(request, user);
    }

    /// <summary>Opens a stream with a form.</summary>
    public Task<EventReader<SseItem<string>>> SubscribeAsync(
        (string Name, string Value)[] fields,
        string query = "",
        string? user = "ann"
    ) =>
        OpenAsync(
            new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/events/subscribe" + query)
            {
                Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))),
            },
            user
        );

    private async Task<EventReader<SseItem<string>>> OpenAsync(HttpRequestMessage request, string? user)
    {
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        var client = Client(user);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(
            response.IsSuccessStatusCode,
            await (response.IsSuccessStatusCode ? Task.FromResult("") : response.Content.ReadAsStringAsync())
        );
        return await EventReader<SseItem<string>>.OpenAsync(client, response, static item => item);
    }

    public async Task<string> PublishAsync(string topic, object? data, string user = "ann", string type = "e")
    {
        using var client = Client(user);
        using var response = await client.PostAsJsonAsync(
            "/dunlin/v1/events",
            new
            {
                topic,
                type,
                data,
            }
        );
        var json = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, json.ToString());
        return json.GetProperty("positions")[0].GetString()!;
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(1)).Token);
        await _app.DisposeAsync();
    }

    private static ClaimsPrincipal Principal(string user)
    {
        var parts = user.Split(':');
        var claims = new List<Claim> { new("sub", parts[0]), new("name", parts[0].ToUpperInvariant()) };
        if (parts.Length > 1)
            claims.Add(new Claim("sid", parts[1]));
        if (parts[0] == "admin")
            claims.Add(new Claim("roles", "admin"));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));
    }

    internal sealed class TestPolicy : IAccessPolicy, IPatternAccessPolicy
    {
        public HashSet<string> Refused { get; } = new(StringComparer.Ordinal);

        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(!Refused.Contains(topic.Value));

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(!Refused.Contains(topic.Value));

        public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
            new(!Refused.Contains(resource.Value));

        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
            new(!Refused.Contains(pattern.Text));
    }
}

/// <summary>Ways to wait for an event of a stream.</summary>
internal static class EventReaders
{
    public static Task<SseItem<string>> UntilAsync(this EventReader<SseItem<string>> reader, string type) =>
        reader.UntilAsync(item => item.EventType == type);
}
