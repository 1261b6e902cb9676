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

/// <summary>The store behind the host.</summary>
public enum Backing
{
    Memory,
    Sqlite,
}

/// <summary>The shelves behind a real Kestrel, on manual time.</summary>
internal sealed class RxDbHost : IAsyncDisposable
{
    private readonly DunlinTestHost _host;

    private RxDbHost(DunlinTestHost host) => _host = host;

    public Uri Address => _host.Address;

    public ManualTime Time => _host.Time;

    public IStore Store => _host.Store;

    public IServiceProvider Services => _host.Services;

    public RxDocuments Documents => _host.Get<RxDocuments>();

    public static async Task<RxDbHost> StartAsync(
        Backing backing = Backing.Memory,
        Action<RxDbOptions>? configure = null,
        Action<Sqlite.SqliteOptions>? sqlite = null
    ) =>
        new(
            await DunlinTestHost.StartAsync(host =>
            {
                var builder = WebApplication.CreateSlimBuilder();
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, host.Port));
                host.Configure(builder.Services);
                var dunlin = builder.Services.AddShelves(configure);
                if (backing == Backing.Sqlite)
                    dunlin.AddTestStore(host.Folder, "test.db", sqlite);
                else
                    dunlin.AddInMemory();
                return builder.Build().UseShelves();
            })
        );

    public HttpClient Client(string? user = "ann") => TestClients.New(Address, user);

    /// <summary>Runs a unit of work, as an application's own endpoint does.</summary>
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

    /// <summary>Pushes rows. Each consists of the client's state and the assumed state (null for none).</summary>
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

    /// <summary>Creates a shelf of a user, with further readers.</summary>
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

    public async Task<EventStreamReader<string>> HintsAsync(string user = "ann")
    {
        var reader = await Client(user)
            .OpenStreamAsync($"{ShelfApplication.Events}/stream", static item => $"{item.EventType} {item.Data}");
        Assert.Equal("text/event-stream; charset=utf-8", reader.Response.Content.Headers.ContentType?.ToString());
        return reader;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
