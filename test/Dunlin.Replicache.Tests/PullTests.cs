using System.Net;
using System.Text.Json.Nodes;
using Dunlin.Records;
using Microsoft.Extensions.DependencyInjection;
using static Dunlin.Replicache.Tests.PushTests;

namespace Dunlin.Replicache.Tests;

public sealed class PullTests
{
    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_pull_without_changes_returns_the_same_cookie(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        var empty = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal("[]", empty["patch"]!.ToJsonString());
        Assert.Equal(
            empty["cookie"]!.ToJsonString(),
            (await host.PullAsync("g1", empty["cookie"]!.DeepClone())).Body!["cookie"]!.ToJsonString()
        );
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        var pull = (await host.PullAsync("g1", empty["cookie"]!.DeepClone())).Body!;
        Assert.Equal("put", (string?)pull["patch"]![0]!["op"]);
        await host.PushAsync("g2", "bob", ("c2", 1, "makeList", new { list = "b" }));
        Assert.Equal(
            pull["cookie"]!.ToJsonString(),
            (await host.PullAsync("g1", pull["cookie"]!.DeepClone())).Body!["cookie"]!.ToJsonString()
        );
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Shared_and_unshared_lists_appear_and_disappear_in_the_next_pull(Backing backing)
    {
        await using var host = await ReplicacheHost.StartAsync(backing);
        await host.PushAsync(
            "g1",
            "ann",
            ("c1", 1, "makeList", new { list = "a" }),
            (
                "c1",
                2,
                "put",
                new
                {
                    list = "a",
                    key = "k",
                    value = 1,
                }
            )
        );
        var bob = (await host.PullAsync("g2", null, "bob")).Body!;
        Assert.Equal("[]", bob["patch"]!.ToJsonString());
        await host.WriteAsync(records => records.GrantAsync(ReplicacheHost.Space("a"), "bob"));
        bob = (await host.PullAsync("g2", bob["cookie"]!.DeepClone(), "bob")).Body!;
        Assert.Equal(["list/a", "k"], bob["patch"]!.AsArray().Select(op => (string)op!["key"]!));
        await host.WriteAsync(records => records.RevokeAsync(ReplicacheHost.Space("a"), "bob"));
        await host.PushAsync(
            "g1",
            "ann",
            (
                "c1",
                3,
                "put",
                new
                {
                    list = "a",
                    key = "later",
                    value = 1,
                }
            )
        );
        bob = (await host.PullAsync("g2", bob["cookie"]!.DeepClone(), "bob")).Body!;
        Assert.Equal(["del list/a", "del k"], bob["patch"]!.AsArray().Select(op => $"{op!["op"]} {op["key"]}"));
        Assert.Equal("1", Put((await host.PullAsync("g1", null)).Body!, "k"));
    }

    [Fact]
    public async Task A_fork_with_its_old_cookie_continues_from_there()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        var cookie = (await host.PullAsync("g1", null)).Body!["cookie"]!;
        await host.PushAsync(
            "g1",
            "ann",
            (
                "c1",
                2,
                "put",
                new
                {
                    list = "a",
                    key = "k",
                    value = 1,
                }
            )
        );
        var fork = (await host.PullAsync("g2", cookie.DeepClone())).Body!;
        Assert.Equal(["put k"], fork["patch"]!.AsArray().Select(op => $"{op!["op"]} {op["key"]}"));
        Assert.Equal("{}", fork["lastMutationIDChanges"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""5000""")]
    [InlineData("""{"order":5000}""")]
    [InlineData("""{"order":5000,"at":"00000001-4000","of":"x"}""")]
    public async Task A_cookie_of_another_epoch_gets_everything_and_a_higher_order(string old)
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        var pull = (await host.PullAsync("g9", JsonNode.Parse(old))).Body!;
        Assert.Equal(["clear ", "put list/a"], pull["patch"]!.AsArray().Select(op => $"{op!["op"]} {op["key"]}"));
        Assert.Equal(5001, (long)pull["cookie"]!["order"]!);
        // Afterwards it grows with the journal and compares as a number: 9999 -> 10000, not "9999" > "10000".
        Assert.Equal(
            pull["cookie"]!.ToJsonString(),
            (await host.PullAsync("g9", pull["cookie"]!.DeepClone())).Body!["cookie"]!.ToJsonString()
        );
        await host.PushAsync(
            "g9",
            "ann",
            (
                "c9",
                1,
                "put",
                new
                {
                    list = "a",
                    key = "k",
                    value = 1,
                }
            )
        );
        var next = (await host.PullAsync("g9", pull["cookie"]!.DeepClone())).Body!;
        Assert.True((long)next["cookie"]!["order"]! > 5001);
        Assert.Equal(["put k"], next["patch"]!.AsArray().Select(op => $"{op!["op"]} {op["key"]}"));
    }

    [Fact]
    public async Task A_cookie_ahead_of_a_restored_file_or_of_another_user_is_detected()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync("g1", "ann", ("c1", 1, "makeList", new { list = "a" }));
        var cookie = (await host.PullAsync("g1", null)).Body!["cookie"]!;
        var epoch = ((string)cookie["at"]!).Split('-')[0];
        var ahead = new JsonObject
        {
            ["order"] = 70,
            ["at"] = $"{epoch}-70",
            ["of"] = (string)cookie["of"]!,
        };
        var pull = (await host.PullAsync("g1", ahead)).Body!;
        Assert.Equal(("clear", 71L), ((string?)pull["patch"]![0]!["op"], (long)pull["cookie"]!["order"]!));
        var bob = (await host.PullAsync("g2", cookie.DeepClone(), "bob")).Body!;
        Assert.Equal("""[{"op":"clear"}]""", bob["patch"]!.ToJsonString());
        Assert.True((long)bob["cookie"]!["order"]! > (long)cookie["order"]!);
    }

    [Fact]
    public async Task A_client_away_longer_than_deletions_are_kept_starts_anew()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync(
            "g1",
            "ann",
            ("c1", 1, "makeList", new { list = "a" }),
            (
                "c1",
                2,
                "put",
                new
                {
                    list = "a",
                    key = "k",
                    value = 1,
                }
            )
        );
        var cookie = (await host.PullAsync("g1", null)).Body!["cookie"]!;
        await host.WriteAsync(records => records.DeleteAsync(ReplicacheHost.Space("a"), "k"));
        // Minutes, because manual time runs every timer of the host.
        host.Time.Advance(TimeSpan.FromMinutes(3));
        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.RecordTables().Records.ForgetAsync(unit.Now - TimeSpan.FromMinutes(2), ct);
                return true;
            }
        );
        var pull = (await host.PullAsync("g1", cookie.DeepClone())).Body!;
        Assert.Equal(["clear ", "put list/a"], pull["patch"]!.AsArray().Select(op => $"{op!["op"]} {op["key"]}"));
        Assert.True((long)pull["cookie"]!["order"]! > (long)cookie["order"]!);
    }

    [Fact]
    public async Task A_record_moved_to_another_list_exists_after_the_patch()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync(
            "g1",
            "ann",
            ("c1", 1, "makeList", new { list = "a" }),
            ("c1", 2, "makeList", new { list = "b" }),
            (
                "c1",
                3,
                "put",
                new
                {
                    list = "b",
                    key = "k",
                    value = 1,
                }
            )
        );
        var cookie = (await host.PullAsync("g1", null)).Body!["cookie"]!;
        await host.WriteAsync(async records =>
            await records.DeleteAsync(ReplicacheHost.Space("b"), "k")
            && (await records.PutAsync(ReplicacheHost.Space("a"), "k", 2)).Version > 0
        );
        Assert.Equal(
            ["del k", "put k"],
            (await host.PullAsync("g1", cookie.DeepClone())).Body!["patch"]!.AsArray().Select(op => $"{op!["op"]} {op["key"]}")
        );
    }

    [Fact]
    public async Task Pulls_during_pushes_skip_no_commit()
    {
        await using var host = await ReplicacheHost.StartAsync();
        await host.PushAsync("g0", "ann", ("c0", 1, "makeList", new { list = "a" }));
        using var done = new CancellationTokenSource();
        var reader = Task.Run(async () =>
        {
            var (cookie, view) = (default(JsonNode), new Dictionary<string, string>(StringComparer.Ordinal));
            while (true)
            {
                var isLast = done.IsCancellationRequested;
                var pull = (await host.PullAsync("g0", cookie?.DeepClone())).Body!;
                if (cookie is not null)
                    Assert.True((long)pull["cookie"]!["order"]! >= (long)cookie["order"]!);
                cookie = pull["cookie"];
                foreach (var op in pull["patch"]!.AsArray())
                    view[(string)op!["key"]!] = op["value"]!.ToJsonString();
                if (isLast)
                    return view;
            }
        });
        await Task.WhenAll(
            Enumerable
                .Range(1, 4)
                .Select(async g =>
                {
                    for (var i = 1; i <= 25; i++)
                        Assert.Equal(
                            HttpStatusCode.OK,
                            (
                                await host.PushAsync(
                                    $"g{g}",
                                    "ann",
                                    (
                                        $"c{g}",
                                        i,
                                        "put",
                                        new
                                        {
                                            list = "a",
                                            key = $"{g}/{i}",
                                            value = i,
                                        }
                                    )
                                )
                            ).Status
                        );
                })
        );
        await done.CancelAsync();
        Assert.Equal(101, (await reader).Count);
    }

    [Theory]
    [InlineData("push")]
    [InlineData("pull")]
    public async Task Invalid_huge_or_deep_bodies_get_clear_errors(string path)
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory, options => options.MaxPushBytes = 128 * 1024);
        (string Body, HttpStatusCode Status, string? Code, string? Field)[] cases =
        [
            ("", HttpStatusCode.BadRequest, "invalid_json", null),
            ("{", HttpStatusCode.BadRequest, "invalid_json", null),
            ("[]", HttpStatusCode.BadRequest, "invalid_field", null),
            ("{}", HttpStatusCode.BadRequest, "invalid_field", path + "Version"),
            (
                $$"""{"{{path}}Version":1,"schemaVersion":"1","clientGroupID":"a b"}""",
                HttpStatusCode.BadRequest,
                "invalid_field",
                "clientGroupID"
            ),
            (
                $$"""{"{{path}}Version":1,"schemaVersion":"1","clientGroupID":"\ud800"}""",
                HttpStatusCode.BadRequest,
                "invalid_field",
                "clientGroupID"
            ),
            (
                $$"""{"{{path}}Version":1,"schemaVersion":7,"clientGroupID":"a"}""",
                HttpStatusCode.BadRequest,
                "invalid_field",
                "schemaVersion"
            ),
            (
                $$"""{"{{path}}Version":1,"schemaVersion":"1","clientGroupID":"a","cookie":"x","mutations":7}""",
                HttpStatusCode.BadRequest,
                "invalid_field",
                path == "push" ? "mutations" : "cookie"
            ),
            (
                $$"""{"{{path}}Version":1,"schemaVersion":"1","clientGroupID":"a","cookie":-1,"mutations":[{"id":0}]}""",
                HttpStatusCode.BadRequest,
                "invalid_field",
                path == "push" ? "mutations[0].id" : "cookie"
            ),
            (new string('[', 5_000), HttpStatusCode.BadRequest, "invalid_json", null),
            ($$"""{"x":"{{new string('x', 200_000)}}"}""", HttpStatusCode.RequestEntityTooLarge, "too_large", null),
        ];
        foreach (var (body, status, code, field) in cases)
        {
            var answer = await host.PostAsync(path, body);
            Assert.Equal((status, code, field), (answer.Status, (string?)answer.Body!["code"], (string?)answer.Body["field"]));
        }
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync(path, "{}", null)).Status);
    }

    [Fact]
    public async Task A_mutation_with_huge_or_deep_arguments_fails_alone()
    {
        await using var host = await ReplicacheHost.StartAsync(Backing.Memory, options => options.MaxArgsBytes = 1_000);
        var deep = new string('[', 60) + new string(']', 60);
        var body =
            "{\"pushVersion\":1,\"clientGroupID\":\"g1\",\"schemaVersion\":\"1\",\"mutations\":["
            + string.Join(
                ',',
                new (string Name, string Args)[]
                {
                    ("makeList", """{"list":"a"}"""),
                    ("put", "{\"list\":\"a\",\"key\":\"deep\",\"value\":" + deep + "}"),
                    ("put", "{\"list\":\"a\",\"key\":\"huge\",\"value\":\"" + new string('x', 2_000) + "\"}"),
                    ("count", """{"list":"a"}"""),
                }.Select((m, i) => $"{{\"clientID\":\"c1\",\"id\":{i + 1},\"name\":\"{m.Name}\",\"args\":{m.Args},\"timestamp\":1}}")
            )
            + "]}";
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("push", body)).Status);
        var pull = (await host.PullAsync("g1", null)).Body!;
        Assert.Equal(("""{"c1":4}""", "1"), (pull["lastMutationIDChanges"]!.ToJsonString(), Put(pull, "count")));
        Assert.Null(Put(pull, "deep") ?? Put(pull, "huge"));
    }
}
