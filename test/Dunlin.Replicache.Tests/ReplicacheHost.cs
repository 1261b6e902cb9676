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

/// <summary>The store behind the host.</summary>
public enum Backing
{
    Memory,
    Sqlite,
}

/// <summary>Push and pull behind a real Kestrel, on manual time. The header <c>X-User</c> names the caller.</summary>
internal sealed class ReplicacheHost : IAsyncDisposable
{
    public const string Base = "/api/v1/replicache";

    private readonly DunlinTestHost _host;

    private ReplicacheHost(DunlinTestHost host) => _host = host;

    public Uri Address => _host.Address;

    public ManualTime Time => _host.Time;

    public IStore Store => _host.Store;

    public IServiceProvider Services => _host.Services;

    /// <summary>The behaviour of the mutators "slow" and "fail".</summary>
    public MutatorFaults Faults => _host.Get<MutatorFaults>();

    public static async Task<ReplicacheHost> StartAsync(
        Backing backing = Backing.Sqlite,
        Action<ReplicacheOptions>? configure = null,
        string? folder = null,
        Action<Sqlite.SqliteOptions>? sqlite = null
    ) =>
        new(
            await DunlinTestHost.StartAsync(options =>
            {
                options.Dunlin = dunlin =>
                {
                    var faults = new MutatorFaults();
                    dunlin.Services.AddSingleton(faults);
                    if (backing == Backing.Sqlite)
                        dunlin.AddTestStore(folder ?? options.Folder, "test.db", sqlite);
                    else
                        dunlin.AddInMemory();
                    AddMutators(dunlin.AddReplicache(configure), faults);
                };
                options.Map = app => app.MapReplicache(Base);
            })
        );

    public static SpaceName Space(string name) => SpaceName.Parse("list/" + name);

    public HttpClient Client(string? user = "ann") => _host.Client(user);

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

    public async Task<EventStreamReader<string>> OpenAsync(string path = "stream", string user = "ann")
    {
        var reader = await Client(user)
            .OpenStreamAsync(
                $"{Base}/{path}",
                static item =>
                {
                    Assert.Equal("message", item.EventType);
                    return item.Data;
                }
            );
        Assert.Equal("text/event-stream; charset=utf-8", reader.Response.Content.Headers.ContentType?.ToString());
        return reader;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

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

    /// <summary>One instance per host, because tests of other classes run concurrently.</summary>
    public sealed class MutatorFaults
    {
        /// <summary>Runs when the mutator "slow", which never ends, has started.</summary>
        public Action SlowBegan { get; set; } = static () => { };

        /// <summary>Creates the exception of the mutator "fail".</summary>
        public Func<Exception> Failure { get; set; } = static () => new FormatException("meant to fail");
    }

    public sealed record PutArgs(
        string List,
        [property: System.ComponentModel.DataAnnotations.StringLength(20)] string Key,
        JsonElement Value
    );

    public sealed record ListArgs(string List);
}
