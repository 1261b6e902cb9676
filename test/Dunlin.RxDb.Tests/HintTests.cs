using System.Net;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb.TestHost;
using Dunlin.TestKit;

namespace Dunlin.RxDb.Tests;

public sealed class HintTests
{
    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Everyone_who_sees_a_change_gets_a_hint_and_nobody_else(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann", "ben");
        await using var ann = await OpenAsync(host, "ann");
        await using var ben = await OpenAsync(host, "ben");
        await using var eve = await OpenAsync(host, "eve");
        await host.PushAsync("ann", (Thing("a", "one"), null));
        Assert.Equal("""things:updated {"shelf":"s","id":"a"}""", await ann.NextAsync());
        Assert.Equal("""things:updated {"shelf":"s","id":"a"}""", await ben.NextAsync());
        // A change that only Ann reads, a conflict, and a write without a change: no hint for Ben.
        await host.PushAsync(
            "ann",
            (
                new
                {
                    id = "b",
                    shelf = "s",
                    text = "own",
                    own = true,
                    _deleted = false,
                },
                null
            )
        );
        Assert.Equal("""things:updated {"shelf":"s","id":"b"}""", await ann.NextAsync());
        await host.PushAsync("ann", (Thing("a", "two"), null), (Thing("a", "one"), Thing("a", "one")));
        await host.PushAsync("ann", (new { id = "a", _deleted = true }, Thing("a", "one")));
        Assert.Equal("""things:updated {"id":"a"}""", await ben.NextAsync());
        Assert.Equal("""things:updated {"id":"a"}""", await ann.NextAsync());
        await host.ShelfAsync("e", "eve");
        Assert.Equal("""shelves:updated {"id":"e"}""", await eve.NextAsync());
    }

    [Fact]
    public async Task An_access_change_sends_a_hint_to_its_user()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann");
        await using var ann = await OpenAsync(host, "ann");
        await using var ben = await OpenAsync(host, "ben");
        await host.WriteAsync(async records => await records.GrantAsync(ShelfCollections.Space("s"), "ben"));
        Assert.Equal("sync:access {}", await ben.NextAsync());
        await host.WriteAsync(async records => await records.RevokeAsync(ShelfCollections.Space("s"), "ben"));
        Assert.Equal("sync:access {}", await ben.NextAsync());
        await host.PushAsync("ann", (Thing("a", "one"), null));
        Assert.StartsWith("things:updated", await ann.NextAsync(), StringComparison.Ordinal);
        await host.ShelfAsync("b", "ben");
        Assert.StartsWith("shelves:updated", await ben.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_commit_is_one_hint_and_application_hints_reach_the_space()
    {
        await using var host = await RxDbHost.StartAsync(configure: options => options.MaxSingleHints = 3);
        await host.ShelfAsync("s", "ann", "ben");
        await using var ben = await OpenAsync(host, "ben");
        await host.PushAsync("ann", [.. Enumerable.Range(0, 20).Select(i => (Thing($"t{i}", "x"), (object?)null))]);
        Assert.Equal("""things:updated {"count":20}""", await ben.NextAsync());
        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                await host.Documents.TellAsync(
                    unit,
                    ShelfCollections.Space("s"),
                    "things:resolved",
                    new { id = "t1", status = "resolved" },
                    cancellationToken: ct
                );
            }
        );
        Assert.Equal("""things:resolved {"id":"t1","status":"resolved"}""", await ben.NextAsync());
    }

    [Fact]
    public async Task A_silent_stream_pings_and_status_counts_own_streams()
    {
        await using var host = await RxDbHost.StartAsync();
        await using (var ann = await OpenAsync(host, "ann"))
        await using (var ben = await OpenAsync(host, "ben"))
        {
            // Second by second, because the silence starts when the server has released the opening, which no event signals.
            var ping = ann.NextAsync();
            for (var seconds = 0; seconds < 120 && !ping.IsCompleted; seconds++)
            {
                host.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
            Assert.Matches("""^sync:ping \{"timestamp":"[0-9T:.-]+Z"\}$""", await ping);
            Assert.Equal("""{"connected":true,"total_connections":1}""", await StatusAsync(host, "ben"));
            Assert.Equal("""{"connected":false,"total_connections":0}""", await StatusAsync(host, "eve"));
            Assert.Equal("""{"connected":false,"total_connections":2}""", await StatusAsync(host, "admin"));
        }
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await host.SendAsync(HttpMethod.Get, $"{ShelfApplication.Events}/stream", user: null)).Status
        );
        // Hints of another user are not readable through the engine's own stream either.
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await host.SendAsync(HttpMethod.Get, "/dunlin/v1/events?topic=rxdb/ann", user: "eve")).Status
        );
    }

    [Fact]
    public async Task Invalid_documents_of_the_server_are_server_errors()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann");
        await host.ShelfAsync("t", "ann");
        var (s, t) = (ShelfCollections.Space("s"), ShelfCollections.Space("t"));
        await host.WriteAsync(async records => await records.PutAsync(s, "thing/a", new { id = "a", shelf = "s" }));
        foreach (
            var work in new Func<RecordWriter, ValueTask>[]
            {
                async records => await records.PutAsync(s, "thing/b", new { id = "other" }),
                async records => await records.PutAsync(s, "thing/b", "no object"),
                async records => await records.PutAsync(s, "thing/b", new { id = "b", _deleted = false }),
                async records => await records.PutAsync(t, "thing/a", new { id = "a", shelf = "t" }),
            }
        )
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => host.WriteAsync(work));
        }
        var found = await host.Store.WriteAsync((unit, ct) => host.Documents.FindAsync(unit, "things", "a", ct));
        Assert.Equal(s, found!.Space);
        Assert.Null(await host.Store.ReadAsync((scope, ct) => host.Documents.FindAsync(scope, "things", "b", ct)));
        Assert.Throws<ArgumentException>(() => host.Documents.KeyOf("nothing", "a"));
    }

    [Theory]
    [InlineData("things", "thing/", "begins with the other")]
    [InlineData("things", "other/", "Two collections")]
    [InlineData("no name", "other/", "its name")]
    public async Task Invalid_collections_stop_the_start(string name, string prefix, string expected)
    {
        var collection = new RxCollection(name)
        {
            KeyPrefix = prefix,
            ClientFields = [],
            Decide = static (_, _) => new(RxDecision.Write),
        };
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new RxCollectionSet([ShelfCollections.Things, collection]).StartAsync(default)
        );
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    // The first frame shows that the stream is open, so every later change is announced.
    private static async Task<EventStreamReader<string>> OpenAsync(RxDbHost host, string user)
    {
        var reader = await host.HintsAsync(user);
        Assert.StartsWith("sync:ping", await reader.NextAsync(), StringComparison.Ordinal);
        return reader;
    }

    private static async Task<string> StatusAsync(RxDbHost host, string user) =>
        (await host.SendAsync(HttpMethod.Get, $"{ShelfApplication.Events}/status", user: user)).Body!.ToJsonString();

    private static object Thing(string id, string text) =>
        new
        {
            id,
            shelf = "s",
            text,
            _deleted = false,
        };
}
