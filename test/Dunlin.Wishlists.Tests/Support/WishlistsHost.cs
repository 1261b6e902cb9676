using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Dunlin.Apps.Wishlists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Hosting;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Wishlists.Tests.Support;

/// <summary>The wishlists behind a real Kestrel, on a SQLite file and manual time, beside a site whose pages may be fetched. Who asks
/// is named by the header <c>X-User</c>.</summary>
internal sealed class WishlistsHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-wishlists-").FullName;
    private WebApplication? _app;

    public ManualTime Time { get; } = new();

    public TestSite Site { get; } = new();

    public Uri Address { get; private set; } = null!;

    public IStore Store => _app!.Services.GetRequiredService<IStore>();

    /// <param name="configure">Changes services and options of this host.</param>
    public static async Task<WishlistsHost> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var host = new WishlistsHost();
        await host.BeginAsync(configure);
        return host;
    }

    /// <summary>Moves time on, and lets the queue do what is due.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await IdleAsync();
        }
    }

    /// <summary>Waits until the queue has nothing to do.</summary>
    public Task IdleAsync() => _app!.Services.GetRequiredService<JobNode>().WhenIdleAsync().WaitAsync(Patience);

    /// <summary>The address of a page of <see cref="Site"/>.</summary>
    public string Url(string path) => new Uri(Site.Address, path).AbsoluteUri;

    /// <summary>The address of a page of <see cref="Site"/> by another of its names: every name below <c>example</c> is one.</summary>
    public string Url(string host, string path) => $"http://{host}.example:{Site.Port}/{path}";

    public WishlistsClient Client(string? user)
    {
        var client = NewClient();
        if (user is not null)
            client.DefaultRequestHeaders.Add("X-User", user);
        return new WishlistsClient(client, user ?? "");
    }

    /// <summary>Opens a user's stream of hints.</summary>
    public async Task<EventReader<Hint>> OpenAsync(string user)
    {
        var client = NewClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events/stream");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        request.Headers.Add("X-User", user);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        response.EnsureSuccessStatusCode();
        var reader = await Hints.OpenAsync(client, response);
        Assert.Equal("sync:ping", (await reader.NextAsync()).Type);
        return reader;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);
            await _app.DisposeAsync();
        }
        await Site.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private HttpClient NewClient() =>
        new(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };

    private async Task BeginAsync(Action<IServiceCollection>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.Services.AddSingleton<HostLookup>(
            static (host, ct) =>
                host.EndsWith(".example", StringComparison.Ordinal)
                    ? Task.FromResult<IPAddress[]>([IPAddress.Loopback])
                    : Dns.GetHostAddressesAsync(host, ct)
        );
        builder.Services.AddHealthChecks().AddDunlin();
        builder
            .Services.AddDunlin()
            .AddWishlists()
            .AddTestStore(
                _folder,
                "wishlists.db",
                options =>
                {
                    // What a power cut takes is the store's own test.
                    options.Durability = SqliteDurability.Normal;
                    options.WriteLimit = TimeSpan.FromHours(1);
                    options.ReadLimit = TimeSpan.FromDays(1);
                }
            );
        builder.Services.Configure<HostingOptions>(options => options.DrainWindow = TimeSpan.Zero);
        builder.Services.Configure<FetchOptions>(options =>
        {
            options.AllowedNetworks.Add("127.0.0.1/32");
            options.AllowedPorts.Add(Site.Port);
        });
        configure?.Invoke(builder.Services);
        var app = _app = builder.Build();
        app.UseDunlinProblems();
        app.Use(
            (context, next) =>
            {
                if ((string?)context.Request.Headers["X-User"] is { Length: > 0 } user)
                    context.User = new ClaimsPrincipal(
                        new ClaimsIdentity([new Claim("sub", user), new Claim("name", user.ToUpperInvariant())], "test")
                    );
                return next(context);
            }
        );
        app.MapDunlin();
        app.MapDunlinHealth();
        app.MapWishlists();
        await app.StartAsync();
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }
}

/// <summary>An answer.</summary>
internal sealed record Answer(int Status, JsonElement Body, HttpResponseHeaders Headers)
{
    public string? Code => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("code", out var code) ? code.GetString() : null;

    public string? Text(string name) =>
        Body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>One user of the system.</summary>
internal sealed class WishlistsClient(HttpClient client, string user) : IDisposable
{
    private const string Base = "/api/v1/";

    public string User => user;

    public async Task<Answer> SendAsync(string method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path.StartsWith('/') ? path : Base + path);
        if (body is string text)
            request.Content = new StringContent(text, System.Text.Encoding.UTF8, "application/json");
        else if (body is not null)
            request.Content = JsonContent.Create(body);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        return new Answer(
            (int)response.StatusCode,
            answer.Length == 0 ? default : JsonDocument.Parse(answer).RootElement,
            response.Headers
        );
    }

    public async Task<JsonElement> OkAsync(string method, string path, object? body = null)
    {
        var answer = await SendAsync(method, path, body);
        Assert.True(answer.Status is >= 200 and < 300, $"{method} {path}: {answer.Status} {answer.Body}");
        return answer.Body;
    }

    public async Task RefusedAsync(int status, string code, string method, string path, object? body = null, string? field = null)
    {
        var answer = await SendAsync(method, path, body);
        Assert.True(
            (status, code) == (answer.Status, answer.Code) && (field is null || answer.Text("field") == field),
            $"{method} {path}: {answer.Status} {answer.Body}"
        );
    }

    public async Task<string> ListAsync(string name = "Birthday") =>
        (await OkAsync("POST", "wishlists", new { name })).GetProperty("id").GetString()!;

    public async Task<string> ItemAsync(string listId, string title = "A thing", int quantity = 1) =>
        (await OkAsync("POST", $"wishlists/{listId}/items", new { title, quantity })).GetProperty("id").GetString()!;

    public async Task<string> PageItemAsync(string listId, string url, string? title = null) =>
        (await OkAsync("POST", $"wishlists/{listId}/items", new { source_url = url, title })).GetProperty("id").GetString()!;

    public Task<JsonElement> ItemNowAsync(string id) => OkAsync("GET", "items/" + id);

    public async Task<string> ShareAsync(string listId, string role, DateTimeOffset? expiresAt = null) =>
        (await OkAsync("POST", $"wishlists/{listId}/shares", new { role, expires_at = expiresAt })).GetProperty("token").GetString()!;

    public Task<JsonElement> JoinAsync(string token) => OkAsync("POST", $"share/{token}/join");

    /// <summary>All documents of a collection, by id; null for those that are told as deleted.</summary>
    public async Task<Dictionary<string, JsonElement?>> PullAsync(string collection)
    {
        var page = await OkAsync("GET", $"sync/pull/{collection}?limit=500");
        return page.GetProperty("documents")
            .EnumerateArray()
            .ToDictionary(
                d => d.GetProperty("id").GetString()!,
                d => d.GetProperty("_deleted").GetBoolean() ? (JsonElement?)null : d,
                StringComparer.Ordinal
            );
    }

    /// <summary>Pushes one document, and answers with what the server says against it.</summary>
    public async Task<(JsonElement? Conflict, string? Refused)> PushAsync(string collection, object document, object? assumed = null)
    {
        var row = assumed is null
            ? (object)new { newDocumentState = document }
            : new { newDocumentState = document, assumedMasterState = assumed };
        var answer = await SendAsync("POST", "sync/push/" + collection, new[] { row });
        Assert.True(answer.Status == 200, $"{answer.Status} {answer.Body}");
        return (
            answer.Body.EnumerateArray().Select(d => (JsonElement?)d).SingleOrDefault(),
            answer.Headers.TryGetValues("Dunlin-Refused", out var refused) ? string.Join(',', refused) : null
        );
    }

    public void Dispose() => client.Dispose();
}
