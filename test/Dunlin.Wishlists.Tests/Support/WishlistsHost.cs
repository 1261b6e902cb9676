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
using Dunlin.Outbound;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Wishlists.Tests.Support;

/// <summary>
/// The wishlists behind a real Kestrel, on a SQLite file and manual time, with a site whose pages may be fetched. The header <c>X-User</c>
/// names the caller.
/// </summary>
internal sealed class WishlistsHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DunlinTestHost _host;

    private WishlistsHost(DunlinTestHost host, TestSite site) => (_host, Site) = (host, site);

    public ManualTime Time => _host.Time;

    public TestSite Site { get; }

    public Uri Address => _host.Address;

    public IStore Store => _host.Store;

    /// <param name="configure">Changes services and options of this host.</param>
    public static async Task<WishlistsHost> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var site = new TestSite();
        return new WishlistsHost(
            await DunlinTestHost.StartAsync(options =>
            {
                options.Dunlin = dunlin =>
                    dunlin
                        .AddWishlists()
                        .AddTestStore(
                            options.Folder,
                            "wishlists.db",
                            store =>
                            {
                                // Power failures are tested with the store.
                                store.Durability = SqliteDurability.Normal;
                                store.WriteLimit = TimeSpan.FromHours(1);
                                store.ReadLimit = TimeSpan.FromDays(1);
                            }
                        );
                options.Services = services =>
                {
                    services.AddSingleton<OutboundLookup>(
                        static (host, ct) =>
                            host.EndsWith(".example", StringComparison.Ordinal)
                                ? Task.FromResult<IPAddress[]>([IPAddress.Loopback])
                                : Dns.GetHostAddressesAsync(host, ct)
                    );
                    services.Configure<FetchOptions>(fetch =>
                    {
                        fetch.AllowedNetworks.Add("127.0.0.1/32");
                        fetch.AllowedPorts.Add(site.Port);
                    });
                    configure?.Invoke(services);
                };
                options.Map = static app => app.MapWishlists();
            }),
            site
        );
    }

    /// <summary>Advances time and runs the due work of the queue.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await IdleAsync();
        }
    }

    /// <summary>Waits until the queue is idle.</summary>
    public Task IdleAsync() => _host.Get<JobWorker>().WhenIdleAsync().WaitAsync(Patience);

    /// <summary>Returns the address of a page of <see cref="Site"/>.</summary>
    public string Url(string path) => new Uri(Site.Address, path).AbsoluteUri;

    /// <summary>
    /// Returns the address of a page of <see cref="Site"/> under another name. Every name below <c>example</c> resolves to it.
    /// </summary>
    public string Url(string host, string path) => $"http://{host}.example:{Site.Port}/{path}";

    public WishlistsClient Client(string? user) => new(_host.Client(user), user ?? "");

    /// <summary>Opens a user's stream of hints.</summary>
    public async Task<EventStreamReader<Hint>> OpenAsync(string user)
    {
        var reader = await _host.Client(user).OpenStreamAsync("/api/v1/events/stream", Hints.Read);
        Assert.Equal("sync:ping", (await reader.NextAsync()).Type);
        return reader;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await Site.DisposeAsync();
    }
}

/// <summary>One user of the system.</summary>
internal sealed class WishlistsClient(HttpClient client, string user) : IDisposable
{
    private const string Base = "/api/v1/";

    public string User => user;

    public Task<TestAnswer> SendAsync(string method, string path, object? body = null, params (string Name, string Value)[] headers) =>
        client.SendJsonAsync(method, path.StartsWith('/') ? path : Base + path, body, headers);

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
            (status, code) == (answer.Status, answer.Code) && (field is null || answer.Member("field") == field),
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

    /// <summary>Returns all documents of a collection by id; null for deleted ones.</summary>
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

    /// <summary>Pushes one document and returns the server's conflict or refusal.</summary>
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
