using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Replicache.Tests;

/// <summary>Which store stands behind.</summary>
public enum Backing
{
    Memory,
    Sqlite,
}

/// <summary>Push and pull behind a real Kestrel, on manual time. Who asks is named by the header <c>X-User</c>.</summary>
internal sealed class ReplicacheHost : IAsyncDisposable
{
    public const string Base = "/api/v1/replicache";

    private readonly WebApplication _app;
    private readonly string? _folder;

    private ReplicacheHost(WebApplication app, string? folder, ManualTime time) => (_app, _folder, Time) = (app, folder, time);

    public Uri Address { get; private set; } = null!;

    public ManualTime Time { get; }

    public IStore Store => _app.Services.GetRequiredService<IStore>();

    public IServiceProvider Services => _app.Services;

    /// <summary>How the mutators "slow" and "fail" of this host behave.</summary>
    public MutatorFaults Faults => _app.Services.GetRequiredService<MutatorFaults>();

    public static async Task<ReplicacheHost> StartAsync(
        Backing backing = Backing.Sqlite,
        Action<ReplicacheOptions>? configure = null,
        string? folder = null,
        Action<Sqlite.SqliteOptions>? sqlite = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var time = new ManualTime();
        builder.Services.AddSingleton<TimeProvider>(time);
        var faults = new MutatorFaults();
        builder.Services.AddSingleton(faults);
        builder.Services.Configure<HostingOptions>(o => o.DrainWindow = TimeSpan.Zero);
        builder.Services.AddHealthChecks().AddDunlin();
        var dunlin = builder.Services.AddDunlin();
        var made =
            backing == Backing.Sqlite && folder is null ? folder = Directory.CreateTempSubdirectory("dunlin-replicache-").FullName : null;
        if (backing == Backing.Sqlite)
        {
            dunlin.AddTestStore(folder!, "test.db", sqlite);
        }
        else
            dunlin.AddInMemory();
        AddMutators(dunlin.AddReplicache(configure), faults);
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
        app.MapReplicache(Base);
        var host = new ReplicacheHost(app, made, time);
        await app.StartAsync();
        host.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return host;
    }

    public static SpaceName Space(string name) => SpaceName.Parse("list/" + name);

    public HttpClient Client(string? user = "ann")
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = Address,
        };
        if (user is not null)
            client.DefaultRequestHeaders.Add("X-User", user);
        return client;
    }

    public async Task<T> WriteAsync<T>(Func<RecordWriter, ValueTask<T>> work) =>
        await Store.WriteAsync(
            async (unit, _) =>
            {
                var records = unit.Records();
                var result = await work(records);
                await Pokes.PokeExtensions.AppendPokesAsync(unit, records);
                return result;
            }
        );

    public async Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string path, string body, string? user = "ann")
    {
        using var client = Client(user);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync($"{Base}/{path}", content);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public Task<(HttpStatusCode Status, JsonNode? Body)> PushAsync(
        string group,
        string user,
        params (string Client, long Id, string Name, object? Args)[] mutations
    ) =>
        PostAsync(
            "push",
            JsonSerializer.Serialize(
                new
                {
                    pushVersion = 1,
                    clientGroupID = group,
                    profileID = "p1",
                    schemaVersion = "1",
                    mutations = mutations.Select(m => new
                    {
                        clientID = m.Client,
                        id = m.Id,
                        name = m.Name,
                        args = m.Args,
                        timestamp = 12.5,
                    }),
                }
            ),
            user
        );

    public Task<(HttpStatusCode Status, JsonNode? Body)> PullAsync(string group, JsonNode? cookie, string user = "ann") =>
        PostAsync(
            "pull",
            JsonSerializer.Serialize(
                new
                {
                    pullVersion = 1,
                    clientGroupID = group,
                    profileID = "p1",
                    schemaVersion = "1",
                    cookie,
                }
            ),
            user
        );

    public async Task<EventReader<string>> OpenAsync(string path = "stream", string user = "ann")
    {
        var client = Client(user);
        var response = await client.GetAsync($"{Base}/{path}", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return await EventReader<string>.OpenAsync(
            client,
            response,
            static item =>
            {
                Assert.Equal("message", item.EventType);
                return item.Data;
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(1)).Token);
        await _app.DisposeAsync();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }

    private static void AddMutators(ReplicacheBuilder replicache, MutatorFaults faults) =>
        replicache
            .AddMutator<PutArgs>(
                "put",
                async (mutation, args, ct) =>
                {
                    if (!await mutation.Records.MayReadAsync(Space(args.List), mutation.Caller.UserId, ct))
                        throw new Diagnostics.DunlinException(Diagnostics.ErrorCode.Forbidden);
                    await mutation.Records.PutAsync(Space(args.List), args.Key, args.Value, cancellationToken: ct);
                }
            )
            .AddMutator<ListArgs>(
                "makeList",
                async (mutation, args, ct) =>
                {
                    await mutation.Records.GrantAsync(Space(args.List), mutation.Caller.UserId, ct);
                    await mutation.Records.PutAsync(Space(args.List), "list/" + args.List, new { args.List }, cancellationToken: ct);
                }
            )
            .AddMutator<ListArgs>(
                "count",
                async (mutation, args, ct) =>
                {
                    var count = await mutation.Records.FindAsync<int>(Space(args.List), "count", ct);
                    await mutation.Records.PutAsync(Space(args.List), "count", count + 1, cancellationToken: ct);
                }
            )
            .AddMutator<ListArgs>(
                "fail",
                async (mutation, args, ct) =>
                {
                    await mutation.Records.PutAsync(Space(args.List), "half", "done", cancellationToken: ct);
                    throw faults.Failure();
                }
            )
            .AddMutator<ListArgs>(
                "slow",
                async (mutation, _, ct) =>
                {
                    faults.SlowBegan();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                }
            );

    private static ClaimsPrincipal Principal(string user)
    {
        var claims = new List<Claim> { new("sub", user), new("name", user) };
        if (user == "admin")
            claims.Add(new Claim("roles", "admin"));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));
    }

    /// <summary>One for each host: tests of other classes run at the same time.</summary>
    public sealed class MutatorFaults
    {
        /// <summary>Runs when the mutator "slow", which never ends, has begun.</summary>
        public Action SlowBegan { get; set; } = static () => { };

        /// <summary>Makes the exception that the mutator "fail" throws.</summary>
        public Func<Exception> Failure { get; set; } = static () => new FormatException("meant to fail");
    }

    public sealed record PutArgs(
        string List,
        [property: System.ComponentModel.DataAnnotations.StringLength(20)] string Key,
        JsonElement Value
    );

    public sealed record ListArgs(string List);
}
