using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Replicache.Tests;

/// <summary>The removal of client groups that nobody uses, and that no mutation of a removed group is applied again.</summary>
public sealed class IdleGroupTests
{
    private const string NotFound = """{"error":"ClientStateNotFound"}""";

    private static readonly SpaceName Owners = SpaceName.Parse("dunlin.replicache/owners");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_removed_group_repeats_no_mutation_and_starts_anew(Backing backing)
    {
        await using var host = await StartAsync(backing);
        await CountAsync(host, "g1", "c1", 1);
        // The answer was lost: the client has the mutation still pending, and comes back after two months.
        await AgeAsync(host, days: 32);
        Assert.Equal(1, await RemoveAsync(host));
        await host.Store.WriteAsync((unit, ct) => unit.RecordTables().Records.ForgetAsync(unit.Now.AddDays(31), ct), Cancellation);
        foreach (var id in (long[])[1, 2])
        {
            var (status, body) = await host.PushAsync("g1", "ann", ("c1", id, "count", new { list = "a" }));
            Assert.Equal((HttpStatusCode.OK, NotFound), (status, body!.ToJsonString()));
        }
        Assert.Equal(NotFound, (await host.PushAsync("g1", "ann")).Body!.ToJsonString());
        Assert.Equal(NotFound, (await host.PullAsync("g1", null)).Body!.ToJsonString());
        Assert.Equal(1, await CountedAsync(host));
        await CountAsync(host, "g2", "c2", 1);
        Assert.Equal(2, await CountedAsync(host, "g2"));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_group_that_pulls_or_pushes_is_not_idle(Backing backing)
    {
        await using var host = await StartAsync(backing);
        await CountAsync(host, "pulls", "c1", 1);
        await CountAsync(host, "pushes", "c2", 1);
        await CountAsync(host, "repeats", "c3", 1);
        for (var i = 0; i < 4; i++)
        {
            await AgeAsync(host, days: 20);
            Assert.Equal(HttpStatusCode.OK, (await host.PullAsync("pulls", null)).Status);
            await CountAsync(host, "pushes", "c2", i + 2);
            await CountAsync(host, "repeats", "c3", 1);
            Assert.Equal(0, await RemoveAsync(host));
        }
        Assert.Equal(7, await CountedAsync(host));
        await AgeAsync(host, days: 29);
        Assert.Equal(0, await RemoveAsync(host));
        await AgeAsync(host, days: 2);
        Assert.Equal(3, await RemoveAsync(host));
    }

    [Fact]
    public async Task Pulls_of_one_hour_store_the_time_once()
    {
        await using var host = await StartAsync(Backing.Sqlite);
        await CountAsync(host, "g1", "c1", 1);
        host.Time.Advance(TimeSpan.FromHours(1));
        var before = await OwnerAsync(host, "g1");
        await host.PullAsync("g1", null);
        var after = await OwnerAsync(host, "g1");
        Assert.Equal(3_600, after!.Version - before!.Version);
        host.Time.Advance(TimeSpan.FromMinutes(59));
        await host.PullAsync("g1", null);
        Assert.Equal(after.Version, (await OwnerAsync(host, "g1"))!.Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_push_beside_a_removal_is_applied_or_refused(bool pushFirst)
    {
        await using var host = await StartAsync(Backing.Sqlite);
        await CountAsync(host, "g1", "c1", 1);
        await AgeAsync(host, days: 32);
        // Both wait for the same unit of work, and then run in an order that the store decides.
        var (holds, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var holder = host
            .Store.WriteAsync(
                async (_, _) =>
                {
                    holds.SetResult();
                    await go.Task;
                },
                Cancellation
            )
            .AsTask();
        await holds.Task;
        var push = pushFirst ? PushAsync() : null;
        var removal = RemoveAsync(host);
        push ??= PushAsync();
        go.SetResult();
        await holder;
        var (status, body) = await push;
        var isApplied = body!.ToJsonString() == "{}";
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(isApplied ? 0 : 1, await removal);
        Assert.Equal(isApplied ? 2 : 1, await CountedAsync(host));
        Assert.Equal(isApplied ? "{}" : NotFound, (await PushAsync()).Body!.ToJsonString());
        Assert.Equal(isApplied ? 2 : 1, await CountedAsync(host));

        Task<(HttpStatusCode Status, JsonNode? Body)> PushAsync() => host.PushAsync("g1", "ann", ("c1", 2, "count", new { list = "a" }));
    }

    [Fact]
    public async Task Removals_of_two_nodes_remove_each_group_once()
    {
        await using var host = await StartAsync(Backing.Sqlite);
        for (var i = 0; i < 120; i++)
            await CountAsync(host, $"g{i}", $"c{i}", 1);
        await AgeAsync(host, days: 32);
        await CountAsync(host, "last", "c", 1);
        var removed = await Task.WhenAll(RemoveAsync(host), RemoveAsync(host));
        Assert.Equal(120, removed.Sum());
        foreach (var group in (string[])["g0", "g60", "g119"])
            Assert.Equal(NotFound, (await host.PullAsync(group, null)).Body!.ToJsonString());
        Assert.Equal(0, await RemoveAsync(host));
        Assert.Equal(121, await CountedAsync(host, "last"));
    }

    [Fact]
    public async Task A_group_of_an_earlier_version_is_idle_from_the_upgrade_on()
    {
        await using var host = await StartAsync(Backing.Sqlite);
        await CountAsync(host, "g1", "c1", 1);
        var row = (await OwnerAsync(host, "g1"))! with { Version = 3, Created = 3 };
        await host.Store.WriteAsync((unit, ct) => unit.RecordTables().Records.SaveAsync(row, ct), Cancellation);
        Assert.Equal(0, await RemoveAsync(host));
        await AgeAsync(host, days: 29);
        Assert.Equal(0, await RemoveAsync(host));
        await AgeAsync(host, days: 2);
        Assert.Equal(1, await RemoveAsync(host));
    }

    [Fact]
    public async Task A_removal_makes_no_client_read_everything_again()
    {
        await using var host = await StartAsync(Backing.Sqlite);
        await CountAsync(host, "idle", "c1", 1);
        await AgeAsync(host, days: 32);
        await CountAsync(host, "g1", "c2", 1);
        var cookie = (await host.PullAsync("g1", null)).Body!["cookie"];
        Assert.Equal(1, await RemoveAsync(host));
        await host.Store.WriteAsync((unit, ct) => unit.RecordTables().Records.ForgetAsync(unit.Now.AddHours(1), ct), Cancellation);
        Assert.Null(await OwnerAsync(host, "idle"));
        Assert.Empty((await host.PullAsync("g1", cookie)).Body!["patch"]!.AsArray());
    }

    [Fact]
    public async Task The_host_removes_idle_groups_and_counts_them()
    {
        await using var host = await StartAsync(Backing.Sqlite, idleDays: 30);
        await CountAsync(host, "g1", "c1", 1);
        await CountAsync(host, "g2", "c2", 1);
        var removed = new TaskCompletionSource<long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (
                instrument.Name == "dunlin.replicache.groups.removed"
                && instrument.Meter.Scope == host.Services.GetRequiredService<IMeterFactory>()
            )
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => removed.TrySetResult(value));
        listener.Start();
        await AgeAsync(host, days: 32);
        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2, await removed.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Cancellation));
        Assert.Equal(NotFound, (await host.PushAsync("g1", "ann", ("c1", 1, "count", new { list = "a" }))).Body!.ToJsonString());
    }

    [Fact]
    public async Task An_equal_hash_refuses_only_a_group_that_is_new()
    {
        await using var host = await StartAsync(Backing.Sqlite);
        await CountAsync(host, "known", "c1", 1);
        foreach (var group in (string[])["known", "new"])
            await host.Store.WriteAsync((unit, ct) => new GroupTombstones(unit.RecordTables().Records).AddAsync(group, ct), Cancellation);
        await CountAsync(host, "known", "c1", 2);
        Assert.Equal(NotFound, (await host.PushAsync("new", "ann", ("c2", 1, "count", new { list = "a" }))).Body!.ToJsonString());
        await CountAsync(host, "newer", "c3", 1);
        Assert.Equal(3, await CountedAsync(host, "newer"));
    }

    [Fact]
    public async Task Tombstones_have_eight_bytes_and_find_every_group()
    {
        await using var host = await StartAsync(Backing.Memory);
        var random = TestSeed.NewRandom(out _);
        var groups = Enumerable.Range(0, 9_000).Select(_ => $"group-{random.NextInt64()}").ToList();
        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                var tombstones = new GroupTombstones(unit.RecordTables().Records);
                foreach (var group in groups.Concat(groups.Take(10)))
                    await tombstones.AddAsync(group, ct);
                var rows = new List<RecordRow>();
                for (RecordRow? last = null; ; last = rows[^1])
                {
                    var page = await unit.RecordTables()
                        .Records.ReadAsync(
                            new RecordQuery(SpaceName.Parse("dunlin.replicache/removed"), last is null ? -1 : 0, last?.Key),
                            ct
                        );
                    rows.AddRange(page);
                    if (page.Count < RecordLimits.MaxPageRecords)
                        break;
                }
                Assert.Equal(9_000 * 8, rows.Sum(row => row.Value.Length));
                Assert.InRange(rows.Count, 2_000, 4_096);
                foreach (var group in groups)
                    Assert.True(await tombstones.HasAsync(group, ct));
                Assert.False(await tombstones.HasAsync("another", ct));
            },
            Cancellation
        );
    }

    /// <summary>Starts a host, by default without the background removal: the tests remove at times of their own.</summary>
    private static async Task<ReplicacheHost> StartAsync(Backing backing, int idleDays = 0)
    {
        var host = await ReplicacheHost.StartAsync(
            backing,
            options =>
                (options.ClientsPerHour, options.MutationsPerSecond, options.ClientGroupIdleAge) = (0, 0, TimeSpan.FromDays(idleDays))
        );
        await host.WriteAsync(records => records.GrantAsync(ReplicacheHost.Space("a"), "ann"));
        return host;
    }

    /// <summary>Makes the last use of all groups older. The loops of a host would run millions of times if its time advanced.</summary>
    private static async Task AgeAsync(ReplicacheHost host, int days) =>
        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                var records = unit.RecordTables().Records;
                foreach (var row in await records.ReadAsync(new RecordQuery(Owners, LivingOnly: true), ct))
                    await records.SaveAsync(row with { Version = row.Version - (days * 86_400) - 60 }, ct);
            },
            Cancellation
        );

    /// <summary>Removes idle groups.</summary>
    /// <returns>The number of groups that this call removed.</returns>
    private static async Task<int> RemoveAsync(ReplicacheHost host)
    {
        var removed = 0;
        while (true)
        {
            var (groups, hasMore) = await host.Store.WriteAsync(
                (unit, ct) =>
                    new ClientGroups(unit.RecordTables().Records).RemoveIdleAsync(unit.Now.AddDays(-30).AddHours(-1), unit.Now, ct),
                Cancellation
            );
            removed += groups;
            if (!hasMore)
                return removed;
        }
    }

    private static async Task CountAsync(ReplicacheHost host, string group, string client, long id)
    {
        var (status, body) = await host.PushAsync(group, "ann", (client, id, "count", new { list = "a" }));
        Assert.Equal((HttpStatusCode.OK, "{}"), (status, body!.ToJsonString()));
    }

    private static async Task<int> CountedAsync(ReplicacheHost host, string group = "reader")
    {
        var patch = (await host.PullAsync(group, null)).Body!["patch"]!.AsArray();
        return (int)patch.Single(change => (string?)change!["key"] == "count")!["value"]!;
    }

    private static ValueTask<RecordRow?> OwnerAsync(ReplicacheHost host, string group) =>
        host.Store.ReadAsync((scope, ct) => scope.RecordTables().Records.FindAsync(Owners, group, ct), Cancellation);
}
