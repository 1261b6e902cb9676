using System.Net;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Records;

namespace Dunlin.Replicache.Tests;

public sealed class PushTests
{
    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_repeated_mutation_runs_once(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        (string, long, string, object?)[] mutations = [("c1", 1, "makeList", new { list = "a" }), ("c1", 2, "count", new { list = "a" })];
        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", mutations)).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", [.. mutations, ("c1", 3, "count", new { list = "a" })])).Status);
        var pull = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal("2", Put(pull, "count"));
        Assert.Equal("""{"c1":3}""", pull["lastMutationIDChanges"]!.ToJsonString());
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_mutation_ahead_of_its_turn_stops_the_push_and_keeps_earlier_ones(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        var (status, body) = await host.PushAsync(
            "g1",
            "ann",
            ("c1", 1, "makeList", new { list = "a" }),
            ("c1", 3, "count", new { list = "a" })
        );
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), (status, (string?)body!["code"]));
        Assert.Equal("""{"c1":1}""", (await host.PullAsync("g1", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
    }

    [Fact]
    public async Task A_client_of_another_store_is_reported_as_unknown()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory);
        var (status, body) = await host.PushAsync("g1", "ann", ("c1", 2, "count", new { list = "a" }));
        Assert.Equal((HttpStatusCode.OK, """{"error":"ClientStateNotFound"}"""), (status, body!.ToJsonString()));
        Assert.Equal("{}", (await host.PullAsync("g1", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_mutation_with_invalid_JSON_text_fails_alone(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        string[] args =
        [
            """{"list":"a","key":"k","value":"abc\ud83d"}""",
            """{"list":"a","key":"\udc00","value":1}""",
            """{"list":"a","key":"k","value":{"\ud83d":1}}""",
            """{"list":"a","key":"k","value":1,"\ud83d":1}""",
            """{"list":"a","key":"k\u0000","value":1}""",
            """{"list":"a","key":"k","value":{"n":1,"n":2}}""",
            """{"list":"a","key":"k","value":1e400}""",
            """{"list":"a","key":null,"value":1}""",
            "null",
            $$"""{"list":"a","key":"k","value":{{new string('[', 100)}}{{new string(']', 100)}}}""",
        ];
        var failing = args.Select((text, i) => Mutation(i + 2, "put", text));
        var unknown = Mutation(args.Length + 2, "\\ud83d", "{}");
        var last = Mutation(args.Length + 3, "count", """{"list":"a"}""");
        var body =
            $$"""{"pushVersion":1,"clientGroupID":"g1","profileID":"p\ud83d","schemaVersion":"1","mutations":[{{string.Join(',', [Mutation(1, "makeList", """{"list":"a"}"""), .. failing, unknown, last])}}]}""";
        for (var i = 0; i < 2; i++)
            Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("push", body)).Status);
        var pull = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal($$"""{"c1":{{args.Length + 3}}}""", pull["lastMutationIDChanges"]!.ToJsonString());
        Assert.Equal(("1", null), (Put(pull, "count"), Put(pull, "k")));

        static string Mutation(int id, string name, string args) =>
            $$"""{"clientID":"c1","id":{{id}},"name":"{{name}}","args":{{args}},"timestamp":1}""";
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_failing_mutation_is_rolled_back_and_skipped_and_moves_the_cookie(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        var cookie = (await host.PullAsync("g1", null)).Body!["cookie"];
        var (status, _) = await host.PushAsync(
            "g1",
            "ann",
            ("c1", 2, "count", new { list = "a" }),
            ("c1", 3, "fail", new { list = "a" }),
            ("c1", 4, "missing", null),
            ("c1", 5, "count", new { list = "a" }),
            (
                "c1",
                6,
                "put",
                new
                {
                    list = "a",
                    key = "far too long a key to be put",
                    value = 1,
                }
            ),
            (
                "c1",
                7,
                "put",
                new
                {
                    list = "a",
                    key = "x",
                    value = 1,
                    more = 1,
                }
            )
        );
        Assert.Equal(HttpStatusCode.OK, status);
        var pull = (await host.PullAsync("g1", cookie!.DeepClone())).Body!;
        Assert.Equal("""{"c1":7}""", pull["lastMutationIDChanges"]!.ToJsonString());
        Assert.Equal("2", Put(pull, "count"));
        Assert.Null(Put(pull, "half"));
        // A push with only a failing mutation also changes the cookie.
        await host.PushAsync("g1", "ann", ("c1", 8, "fail", new { list = "a" }));
        var next = (await host.PullAsync("g1", pull["cookie"]!.DeepClone())).Body!;
        Assert.NotEqual(pull["cookie"]!.ToJsonString(), next["cookie"]!.ToJsonString());
        Assert.Equal(("""{"c1":8}""", "[]"), (next["lastMutationIDChanges"]!.ToJsonString(), next["patch"]!.ToJsonString()));
    }

    [Fact]
    public async Task A_store_fault_is_no_failure_of_the_mutation()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory);
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        host.Faults.Failure = () => new DunlinException(ErrorCode.StoreUnavailable);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.PushAsync("g1", "ann", ("c1", 2, "fail", new { list = "a" }))).Status);
        Assert.Equal("""{"c1":1}""", (await host.PullAsync("g1", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
    }

    [Fact]
    public async Task A_mutation_that_always_times_out_is_skipped_and_others_run()
    {
        await using var host = await ReplicacheHost.StartAsync(
            sqlite: options => options.WriteLimit = TimeSpan.FromMilliseconds(300),
            configure: options => options.MaxOverruns = 2
        );
        (string, long, string, object?)[] mutations =
        [
            ("c1", 1, "makeList", new { list = "a" }),
            ("c1", 2, "slow", new { list = "a" }),
            ("c1", 3, "count", new { list = "a" }),
        ];
        // The limit of a unit of work uses the store's clock, which advances here only after the slow mutator started.
        host.Faults.SlowBegan = () => _ = Task.Run(() => host.Time.Advance(TimeSpan.FromMilliseconds(400)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.PushAsync("g1", "ann", mutations)).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PushAsync("g1", "ann", mutations)).Status);
        var pull = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal(("""{"c1":3}""", "1"), (pull["lastMutationIDChanges"]!.ToJsonString(), Put(pull, "count")));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Two_clients_of_one_group_have_separate_counters(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        await host.PushAsync(
            "g1",
            "ann",
            ("c1", 1, "makeList", new { list = "a" }),
            ("c2", 1, "count", new { list = "a" }),
            ("c1", 2, "count", new { list = "a" }),
            ("c2", 2, "count", new { list = "a" })
        );
        var pull = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal(("""{"c1":2,"c2":2}""", "3"), (pull["lastMutationIDChanges"]!.ToJsonString(), Put(pull, "count")));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Other_users_groups_and_foreign_clients_are_refused_without_details(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        await host.PushAsync("g2", "bob", ("c2", 1, "makeList", new { list = "b" }));
        var foreignGroup = await host.PushAsync("g1", "bob", ("c9", 1, "makeList", new { list = "c" }));
        var foreignClient = await host.PushAsync("g2", "bob", ("c1", 2, "makeList", new { list = "c" }));
        var foreignPull = await host.PullAsync("g1", null, "bob");
        foreach (var (status, body) in new[] { foreignGroup, foreignClient, foreignPull })
        {
            Assert.Equal(
                (HttpStatusCode.Forbidden, "The client group or client belongs to another user."),
                (status, (string?)body!["detail"])
            );
            Assert.DoesNotContain("ann", body.ToJsonString(), StringComparison.Ordinal);
        }
        // Own group, with a client of the same user in another group: refused as well.
        Assert.Equal(HttpStatusCode.Forbidden, (await host.PushAsync("g3", "ann", ("c1", 2, "makeList", new { list = "c" }))).Status);
        Assert.Equal("""{"c1":1}""", (await host.PullAsync("g1", null)).Body!["lastMutationIDChanges"]!.ToJsonString());
    }

    [Fact]
    public async Task A_mutation_of_another_users_list_is_refused_and_skipped()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await host.PushAsync(
                    "g2",
                    "bob",
                    (
                        "c2",
                        1,
                        "put",
                        new
                        {
                            list = "a",
                            key = "k",
                            value = 1,
                        }
                    )
                )
            ).Status
        );
        Assert.Null(Put((await host.PullAsync("g1", null)).Body!, "k"));
        var bob = (await host.PullAsync("g2", null, "bob")).Body!;
        Assert.Equal(("""{"c2":1}""", "[]"), (bob["lastMutationIDChanges"]!.ToJsonString(), bob["patch"]!.ToJsonString()));
    }

    [Fact]
    public async Task Unsupported_versions_get_the_answers_of_the_protocol()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory, options => options.SchemaVersions.Add("1"));
        Assert.Equal(
            """{"error":"VersionNotSupported","versionType":"push"}""",
            (await host.PostAsync("push", """{"pushVersion":2}""")).Body!.ToJsonString()
        );
        Assert.Equal(
            """{"error":"VersionNotSupported","versionType":"pull"}""",
            (await host.PostAsync("pull", """{"pullVersion":0,"schemaVersion":"1"}""")).Body!.ToJsonString()
        );
        Assert.Equal(
            """{"error":"VersionNotSupported","versionType":"schema"}""",
            (
                await host.PostAsync("push", """{"pushVersion":1,"clientGroupID":"g","schemaVersion":"2","mutations":[]}""")
            ).Body!.ToJsonString()
        );
        Assert.Equal(
            """{"error":"VersionNotSupported","versionType":"schema"}""",
            (
                await host.PostAsync("pull", """{"pullVersion":1,"clientGroupID":"g","schemaVersion":"2","cookie":null}""")
            ).Body!.ToJsonString()
        );
    }

    [Fact]
    public async Task Concurrent_pushes_of_one_group_run_each_mutation_once()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        (string, long, string, object?)[] all =
        [
            .. Enumerable.Range(1, 60).Select(i => ("c1", (long)i, i == 1 ? "makeList" : "count", (object?)new { list = "a" })),
        ];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => host.PushAsync("g1", "ann", all[..(20 + (i * 5))])));
        var pull = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal(("""{"c1":55}""", "54"), (pull["lastMutationIDChanges"]!.ToJsonString(), Put(pull, "count")));
    }

    internal static string? Put(JsonNode pull, string key) =>
        pull["patch"]!.AsArray().LastOrDefault(op => (string?)op!["op"] == "put" && (string?)op["key"] == key)?["value"]?.ToJsonString();
}
