using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb.TestHost;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.RxDb.Tests;

/// <summary>Which store stands behind.</summary>
public enum Backing
{
    Memory,
    Sqlite,
}

/// <summary>The shelves behind a real Kestrel, on manual time.</summary>
internal sealed class RxDbHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string? _folder;

    private RxDbHost(WebApplication app, string? folder, ManualTime time) => (_app, _folder, Time) = (app, folder, time);

    public Uri Address { get; private set; } = null!;

    public ManualTime Time { get; }

    public IStore Store => _app.Services.GetRequiredService<IStore>();

    public IServiceProvider Services => _app.Services;

    public RxDocuments Documents => _app.Services.GetRequiredService<RxDocuments>();

    public static async Task<RxDbHost> StartAsync(
        Backing backing = Backing.Memory,
        Action<RxDbOptions>? configure = null,
        Action<Sqlite.SqliteOptions>? sqlite = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var time = new ManualTime();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.Configure<HostingOptions>(o => o.DrainWindow = TimeSpan.Zero);
        var dunlin = builder.Services.AddShelves(configure);
        var folder = backing == Backing.Sqlite ? Directory.CreateTempSubdirectory("dunlin-rxdb-").FullName : null;
        if (folder is null)
            dunlin.AddInMemory();
        else
            dunlin.AddTestStore(folder, "test.db", sqlite);
        var app = builder.Build().UseShelves();
        var host = new RxDbHost(app, folder, time);
        await app.StartAsync();
        host.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return host;
    }

    public HttpClient Client(string? user = "ann")
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
        };
        if (user is not null)
            client.DefaultRequestHeaders.Add("Authorization", $"Bearer {user}");
        return client;
    }

    /// <summary>A unit of work as an application's own endpoint has it.</summary>
    public async Task WriteAsync(Func<RecordWriter, ValueTask> work) =>
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                var records = unit.Records();
                await work(records);
                await Documents.AnnounceAsync(unit, records, cancellationToken: ct);
            }
        );

    public async Task<JsonNode> PullAsync(string? position = null, int limit = 100, string user = "ann", string collection = "things")
    {
        var (status, body, _) = await SendAsync(
            HttpMethod.Get,
            $"{ShelfApplication.Sync}/pull/{collection}?limit={limit}&position={position}",
            null,
            user
        );
        Assert.Equal(HttpStatusCode.OK, status);
        return body!;
    }

    /// <summary>Pushes rows; each is what the client has and, after it, what it assumes (null for nothing).</summary>
    public async Task<JsonArray> PushAsync(string user, params (object New, object? Assumed)[] rows)
    {
        var (status, body, _) = await SendAsync(HttpMethod.Post, $"{ShelfApplication.Sync}/push/things", Rows(rows), user);
        Assert.Equal(HttpStatusCode.OK, status);
        return body!.AsArray();
    }

    public static string Rows(params (object New, object? Assumed)[] rows) =>
        JsonSerializer.Serialize(
            rows.Select(row =>
                row.Assumed is null
                    ? (object)new { newDocumentState = row.New }
                    : new { newDocumentState = row.New, assumedMasterState = row.Assumed }
            )
        );

    public async Task<(HttpStatusCode Status, JsonNode? Body, HttpResponseMessage Response)> SendAsync(
        HttpMethod method,
        string path,
        string? body = null,
        string? user = "ann",
        params (string Name, string Value)[] headers
    )
    {
        using var client = Client(user);
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response);
    }

    /// <summary>A shelf of a user, with further readers.</summary>
    public async Task ShelfAsync(string shelf, string owner, params string[] readers)
    {
        var (status, body, _) = await SendAsync(
            HttpMethod.Post,
            $"{ShelfApplication.Sync}/push/shelves",
            Rows(
                (
                    new
                    {
                        id = shelf,
                        name = shelf,
                        _deleted = false,
                    },
                    null
                )
            ),
            owner
        );
        Assert.Equal((HttpStatusCode.OK, "[]"), (status, body!.ToJsonString()));
        await WriteAsync(async records =>
        {
            foreach (var reader in readers)
                await records.GrantAsync(ShelfCollections.Space(shelf), reader);
        });
    }

    public async Task<EventReader<string>> HintsAsync(string user = "ann")
    {
        var client = Client(user);
        var response = await client.GetAsync($"{ShelfApplication.Events}/stream", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return await EventReader<string>.OpenAsync(client, response, static item => $"{item.EventType} {item.Data}");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(1)).Token);
        await _app.DisposeAsync();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }
}
