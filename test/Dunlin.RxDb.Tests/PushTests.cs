using System.Net;
using System.Text.Json.Nodes;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.RxDb.TestHost;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.RxDb.Tests;

public sealed class PushTests
{
    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_repeated_row_is_written_once(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann");
        for (var i = 0; i < 3; i++)
            Assert.Empty(await host.PushAsync("ann", (Thing("a", "one"), null)));
        for (var i = 0; i < 3; i++)
            Assert.Empty(await host.PushAsync("ann", (Thing("a", "two"), Thing("a", "one"))));
        Assert.Equal("two 2 ann", await ReadAsync(host, "a"));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_different_or_missing_assumed_state_is_a_conflict(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann");
        await host.PushAsync("ann", (Thing("a", "one"), null));
        foreach (var assumed in new[] { null, Thing("a", "other"), new { id = "a", _deleted = true } })
        {
            var conflict = Assert.Single(await host.PushAsync("ann", (Thing("a", "two"), assumed)))!;
            Assert.Equal(("one", false, 1), ((string?)conflict["text"], (bool)conflict["_deleted"]!, (int)conflict["rev"]!));
        }
        Assert.Equal("one 1 ann", await ReadAsync(host, "a"));
    }

    [Fact]
    public async Task Server_fields_are_ignored_and_normalisation_is_no_conflict()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann");
        Assert.Empty(
            await host.PushAsync(
                "ann",
                (
                    new
                    {
                        id = "a",
                        shelf = "s",
                        text = "  one ",
                        rev = 99,
                        by = "eve",
                        more = 1,
                        _deleted = false,
                    },
                    null
                )
            )
        );
        Assert.Equal("one 1 ann", await ReadAsync(host, "a"));
        // The assumed state has neither the server's fields nor the trimmed text.
        Assert.Empty(await host.PushAsync("ann", (Thing("a", "two"), Thing("a", "  one "))));
        Assert.Empty(
            await host.PushAsync(
                "ann",
                (
                    new
                    {
                        id = "a",
                        shelf = "s",
                        text = "three",
                        count = (int?)null,
                        _deleted = false,
                    },
                    Thing("a", "two")
                )
            )
        );
        Assert.Equal("three 3 ann", await ReadAsync(host, "a"));
        Assert.DoesNotContain("more", (await host.PullAsync()).ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_document_is_deleted_and_restored(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann");
        await host.PushAsync("ann", (Thing("a", "one"), null));
        var gone = new
        {
            id = "a",
            shelf = "s",
            text = "whatever",
            _deleted = true,
        };
        // A deletion based on an older state is a conflict; one based on the current state succeeds; a repeated one has no effect.
        Assert.Single(await host.PushAsync("ann", (gone, Thing("a", "zero"))));
        Assert.Empty(await host.PushAsync("ann", (gone, Thing("a", "one"))));
        Assert.Empty(await host.PushAsync("ann", (gone, Thing("a", "one"))));
        // The deletion wins over an edit of the deleted document and over an insert by a client that never received it.
        foreach (var assumed in new[] { Thing("a", "one"), null })
            Assert.True((bool)Assert.Single(await host.PushAsync("ann", (Thing("a", "two"), assumed)))!["_deleted"]!);
        Assert.Equal("", await ReadAsync(host, "a"));
        Assert.Empty(await host.PushAsync("ann", (Thing("a", "back"), gone)));
        Assert.Equal("back 1 ann", await ReadAsync(host, "a"));
        // A document that never existed counts as deleted.
        Assert.Empty(await host.PushAsync("ann", (new { id = "never", _deleted = true }, null)));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task An_invalid_row_is_refused_alone_without_effect(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing, options => options.MaxDocumentBytes = 2_000);
        await host.ShelfAsync("s", "ann");
        string[] texts = ["a", "poison", "b", "forbidden", "c", new string('x', 300), "d", new string('y', 3_000), "e"];
        var rows = RxDbHost.Rows([.. texts.Select((text, i) => (Thing($"t{i}", text), (object?)null))]);
        var deep = string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200));
        // Valid JSON that no document can contain, and a document with excessive depth.
        string[] raw =
        [
            """{"newDocumentState":{"id":"half","shelf":"s","text":"\ud800","_deleted":false}}""",
            """{"newDocumentState":{"id":"\ud800","shelf":"s","text":"x","_deleted":false}}""",
            """{"newDocumentState":{"id":"name","shelf":"s","text":"x","\ud800":1,"_deleted":false}}""",
            """{"newDocumentState":{"id":"other","shelf":"s","text":"x","extra":{"\ud800":["\udc00"]},"_deleted":false}}""",
            """{"newDocumentState":{"id":"assumed","shelf":"s","text":"x","_deleted":false},"assumedMasterState":{"id":"assumed","text":"\udfff"}}""",
            """{"newDocumentState":{"id":"beside","shelf":"s","text":"x","_deleted":false},"\udfff":1}""",
            """{"newDocumentState":{"id":"nul","shelf":"s","text":"x\u0000","_deleted":false}}""",
            """{"newDocumentState":{"id":"n\u0000","shelf":"s","text":"x","_deleted":false}}""",
            """{"newDocumentState":{"id":"twice","shelf":"s","text":"x","text":"y","_deleted":false}}""",
            """{"newDocumentState":{"id":"marks","shelf":"s","text":"x","_deleted":false,"_deleted":false}}""",
            """{"newDocumentState":{"id":"vast","shelf":"s","text":"x","count":1e400,"_deleted":false}}""",
            $$$"""{"newDocumentState":{"id":"deep","shelf":"s","text":"x","count":{{{deep}}},"_deleted":false}}""",
            $$$"""{"newDocumentState":{"id":"{{{new string('i', 300)}}}","shelf":"s","text":"x","_deleted":false}}""",
        ];
        using var client = host.Client();
        using var body = new StringContent($"{rows[..^1]},{string.Join(',', raw)}]", System.Text.Encoding.UTF8, "application/json");
        using var response = await client.PostAsync($"{ShelfApplication.Sync}/push/things", body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var answer = System.Text.Json.JsonDocument.Parse(text, new System.Text.Json.JsonDocumentOptions { MaxDepth = 1_000 });
        Assert.Equal(17, answer.RootElement.GetArrayLength());
        Assert.All(answer.RootElement.EnumerateArray(), document => Assert.True(document.GetProperty("_deleted").GetBoolean()));
        var documents = (await host.PullAsync())["documents"]!.AsArray();
        Assert.Equal("a,b,c,d,e", string.Join(',', documents.Select(d => (string?)d!["text"])));
        var refused = response.Headers.GetValues("Dunlin-Refused").Single();
        foreach (
            var entry in new[]
            {
                "t1;internal",
                "t3;forbidden",
                "t5;invalid_field",
                "t7;too_large",
                "half;invalid_field",
                "deep;invalid_field",
                "name;invalid_field",
                "twice;invalid_field",
                "vast;invalid_field",
            }
        )
            Assert.Contains(entry, refused, StringComparison.Ordinal);
        Assert.Null(
            await host.Store.ReadAsync(
                (scope, ct) => RecordExtensions.RecordTables(scope).Records.FindAsync(ShelfCollections.Space("s"), "half/done", ct)
            )
        );
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task What_one_may_not_see_is_neither_told_nor_written_nor_deleted(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann");
        await host.ShelfAsync("e", "eve");
        await host.PushAsync("ann", (Thing("a", "secret"), null));
        foreach (var assumed in new[] { null, Thing("a", "secret"), Thing("a", "guess") })
        {
            // Into her own shelf and into the other user's.
            foreach (var shelf in new[] { "e", "s" })
            {
                var answer = await host.PushAsync(
                    "eve",
                    (
                        new
                        {
                            id = "a",
                            shelf,
                            text = "mine",
                            _deleted = false,
                        },
                        assumed
                    )
                );
                Assert.Equal(("mine", true), ((string?)answer.Single()!["text"], (bool)answer.Single()!["_deleted"]!));
            }
            Assert.Empty(await host.PushAsync("eve", (new { id = "a", _deleted = true }, assumed)));
        }
        // Another user's shelf does not accept new documents either.
        Assert.True((bool)(await host.PushAsync("eve", (Thing("new", "x"), null))).Single()!["_deleted"]!);
        Assert.Equal("secret 1 ann", await ReadAsync(host, "a"));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task A_deleted_id_stays_reserved_and_an_edit_restores_nothing(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann", "ben");
        await host.ShelfAsync("e", "eve");
        await host.PushAsync("ann", (Thing("a", "one"), null));
        await host.PushAsync("ann", (new { id = "a", _deleted = true }, Thing("a", "one")));
        // A reader of the same shelf would replace the document.
        Assert.True(
            (bool)
                (
                    await host.PushAsync(
                        "eve",
                        (
                            new
                            {
                                id = "a",
                                shelf = "e",
                                text = "mine",
                                _deleted = false,
                            },
                            null
                        )
                    )
                ).Single()!["_deleted"]!
        );
        Assert.Empty((await host.PullAsync(user: "eve"))["documents"]!.AsArray());

        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                await RecordExtensions.RecordTables(unit).Records.ForgetAsync(unit.Now.AddDays(1), ct);
                return true;
            }
        );
        Assert.True((bool)(await host.PushAsync("ann", (Thing("a", "two"), Thing("a", "one")))).Single()!["_deleted"]!);
        Assert.Equal("", await ReadAsync(host, "a"));
        // A new insert or an explicit restore succeeds.
        Assert.Empty(await host.PushAsync("ben", (Thing("a", "three"), new { id = "a", _deleted = true })));
        Assert.Equal("three 1 ben", await ReadAsync(host, "a"));
    }

    [Fact]
    public async Task The_echo_of_a_revocation_does_not_delete_the_original()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann", "ben");
        await host.PushAsync("ann", (Thing("a", "one"), null));
        var known = (string?)(await host.PullAsync(user: "ben"))["checkpoint"]!["position"];
        await host.WriteAsync(async records => await records.RevokeAsync(ShelfCollections.Space("s"), "ben"));
        var gone = (await host.PullAsync(known, user: "ben"))["documents"]!.AsArray().Single()!;
        foreach (var assumed in new object?[] { gone, Thing("a", "one"), null })
            Assert.Empty(await host.PushAsync("ben", (gone, assumed)));
        Assert.Equal("one 1 ann", await ReadAsync(host, "a"));
    }

    [Fact]
    public async Task A_document_for_one_reader_is_invisible_to_others_of_its_space()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann", "ben");
        await host.PushAsync(
            "ann",
            (
                new
                {
                    id = "a",
                    shelf = "s",
                    text = "own",
                    own = true,
                    _deleted = false,
                },
                null
            )
        );
        Assert.Empty((await host.PullAsync(user: "ben"))["documents"]!.AsArray());
        Assert.True((bool)(await host.PushAsync("ben", (Thing("a", "x"), null))).Single()!["_deleted"]!);
        Assert.Equal("own 1 ann", await ReadAsync(host, "a"));
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Another_users_lease_refuses_and_the_own_one_allows(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann", "ben");
        await host.PushAsync("ann", (Thing("a", "one"), null));
        var leases = host.Services.GetRequiredService<LeaseService>();
        await leases.AcquireAsync(
            new LeaseRequest(
                ResourceName.Of("things", "a"),
                "lease-of-ann-1",
                new LeaseOwner("ann", "Ann", null, null, null),
                LeaseDuration.FromSeconds(60)
            )
        );
        var path = $"{ShelfApplication.Sync}/push/things";
        var rows = RxDbHost.Rows((Thing("a", "two"), Thing("a", "one")));
        // Ben without a lease id and with Ann's lease id; Ann with another id.
        foreach (var (user, lease) in new[] { ("ben", ""), ("ben", "lease-of-ann-1"), ("ann", "lease-of-ann-0") })
        {
            var (_, body, response) = await host.SendAsync(HttpMethod.Post, path, rows, user, ("Dunlin-Lease", lease));
            Assert.Equal("one", (string?)body![0]!["text"]);
            Assert.Equal("a;lease_held", response.Headers.GetValues("Dunlin-Refused").Single());
        }
        Assert.Equal(
            "[]",
            (
                await host.SendAsync(HttpMethod.Post, path, rows, "ann", ("Dunlin-Lease", "other-lease-id, lease-of-ann-1"))
            ).Body!.ToJsonString()
        );
        // An expired lease blocks nobody.
        host.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(await host.PushAsync("ben", (Thing("a", "three"), Thing("a", "two"))));
    }

    [Fact]
    public async Task A_row_that_always_times_out_is_refused_and_others_are_written()
    {
        await using var host = await RxDbHost.StartAsync(
            Backing.Sqlite,
            options => options.MaxOverruns = 2,
            sqlite => sqlite.WriteLimit = TimeSpan.FromMilliseconds(300)
        );
        await host.ShelfAsync("s", "ann");
        var rows = RxDbHost.Rows((Thing("a", "one"), null), (Thing("b", "slow"), null), (Thing("c", "three"), null));
        // The limit of a unit of work uses the store's clock, which advances here only after the slow decision started.
        ShelfCollections.Slow = async ct =>
        {
            _ = Task.Run(() => host.Time.Advance(TimeSpan.FromMilliseconds(400)), CancellationToken.None);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        };
        try
        {
            Assert.Equal(
                HttpStatusCode.ServiceUnavailable,
                (await host.SendAsync(HttpMethod.Post, $"{ShelfApplication.Sync}/push/things", rows)).Status
            );
            var (status, body, _) = await host.SendAsync(HttpMethod.Post, $"{ShelfApplication.Sync}/push/things", rows);
            Assert.Equal((HttpStatusCode.OK, "b"), (status, (string?)body!.AsArray().Single()!["id"]));
        }
        finally
        {
            ShelfCollections.Slow = static _ => default;
        }
        Assert.Equal(
            ("one 1 ann", "", "three 1 ann"),
            (await ReadAsync(host, "a"), await ReadAsync(host, "b"), await ReadAsync(host, "c"))
        );
    }

    [Theory]
    [InlineData("{}", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("[1]", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("""[{"newDocumentState":1}]""", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("""[{"newDocumentState":{"id":1}}]""", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("""[{"newDocumentState":{"id":"a"},"assumedMasterState":1}]""", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("[", HttpStatusCode.BadRequest, "invalid_json")]
    [InlineData(
        """[{"newDocumentState":{"id":"a"}},{"newDocumentState":{"id":"a"}},{"newDocumentState":{"id":"a"}}]""",
        HttpStatusCode.RequestEntityTooLarge,
        "too_large"
    )]
    public async Task A_request_that_no_client_sends_is_a_request_error(string body, HttpStatusCode expected, string code)
    {
        await using var host = await RxDbHost.StartAsync(configure: options => options.MaxPushRows = 2);
        var (status, answer, _) = await host.SendAsync(HttpMethod.Post, $"{ShelfApplication.Sync}/push/things", body);
        Assert.Equal((expected, code), (status, (string?)answer!["code"]));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await host.SendAsync(HttpMethod.Post, $"{ShelfApplication.Sync}/push/things", "[]", user: null)).Status
        );
        Assert.Equal(
            HttpStatusCode.UpgradeRequired,
            (await host.SendAsync(HttpMethod.Post, $"{ShelfApplication.Sync}/push/things?schema=0", "[]")).Status
        );
    }

    private static async Task<string> ReadAsync(RxDbHost host, string id)
    {
        var document = (await host.PullAsync())["documents"]!.AsArray().FirstOrDefault(d => (string?)d!["id"] == id);
        return document is null ? "" : $"{document["text"]} {document["rev"]} {document["by"]}";
    }

    internal static object Thing(string id, string text) =>
        new
        {
            id,
            shelf = "s",
            text,
            _deleted = false,
        };
}
