using System.Net;
using System.Text.Json.Nodes;
using Dunlin.Records;
using Dunlin.RxDb.TestHost;

namespace Dunlin.RxDb.Tests;

public sealed class PullTests
{
    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Pages_are_full_except_the_last(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann", "ben");
        await host.WriteAsync(records => FillAsync(records, host, "s", 250, odd: "ann"));
        foreach (var (user, expected) in new[] { ("ann", 250), ("ben", 125), ("eve", 0) })
        {
            var (ids, position) = (new List<string>(), (string?)null);
            while (true)
            {
                var page = await host.PullAsync(position, 25, user);
                ids.AddRange(page["documents"]!.AsArray().Select(d => (string)d!["id"]!));
                position = (string)page["checkpoint"]!["position"]!;
                if (page["documents"]!.AsArray().Count < 25)
                    break;
            }
            Assert.Equal((expected, expected), (ids.Count, ids.Distinct(StringComparer.Ordinal).Count()));
        }
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Live_documents_have_their_marker_and_deleted_ones_are_valid_and_empty(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann");
        await host.PushAsync("ann", (Thing("a", "first"), null));
        var page = await host.PullAsync();
        var expected = """{"_deleted":false,"id":"a","shelf":"s","text":"first","rev":1,"by":"ann"}""";
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), page["documents"]![0]), page.ToJsonString());
        await host.PushAsync("ann", (new { id = "a", _deleted = true }, Thing("a", "first")));
        page = await host.PullAsync((string?)page["checkpoint"]!["position"]);
        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse("""{"shelf":"","text":"","id":"a","_deleted":true}"""), page["documents"]![0]),
            page.ToJsonString()
        );
        // A new client never received it.
        Assert.Empty((await host.PullAsync())["documents"]!.AsArray());
    }

    [Fact]
    public async Task Changes_of_one_position_are_never_split()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann");
        await host.WriteAsync(records => FillAsync(records, host, "s", 60));
        var before = (string?)(await host.PullAsync(user: "ben"))["checkpoint"]!["position"];
        // The whole shelf appears at the position of the grant.
        await host.WriteAsync(async records => await records.GrantAsync(ShelfCollections.Space("s"), "ben"));
        var page = await host.PullAsync(before, 10, "ben");
        Assert.Equal(60, page["documents"]!.AsArray().Count);
        Assert.Empty((await host.PullAsync((string?)page["checkpoint"]!["position"], 10, "ben"))["documents"]!.AsArray());
    }

    [Theory]
    [InlineData(Backing.Memory)]
    [InlineData(Backing.Sqlite)]
    public async Task Revoked_access_is_a_deletion_for_that_user_only(Backing backing)
    {
        await using var host = await RxDbHost.StartAsync(backing);
        await host.ShelfAsync("s", "ann", "ben");
        await host.PushAsync("ann", (Thing("a", "first"), null));
        var known = (string?)(await host.PullAsync(user: "ben"))["checkpoint"]!["position"];
        await host.WriteAsync(async records => await records.RevokeAsync(ShelfCollections.Space("s"), "ben"));
        await host.PushAsync("ann", (Thing("b", "later"), null));
        var page = await host.PullAsync(known, user: "ben");
        Assert.Equal("""a True""", string.Join(';', page["documents"]!.AsArray().Select(d => $"{d!["id"]} {(bool)d["_deleted"]!}")));
        Assert.DoesNotContain("first", page.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(2, (await host.PullAsync())["documents"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_moved_document_stays_visible_to_readers_of_both_spaces()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann", "ben");
        await host.ShelfAsync("t", "ann", "ben");
        await host.PushAsync("ann", (Thing("a", "first"), null));
        await host.WriteAsync(async records =>
        {
            await records.DeleteAsync(ShelfCollections.Space("s"), "thing/a");
            await records.PutAsync(
                ShelfCollections.Space("t"),
                "thing/a",
                new
                {
                    id = "a",
                    shelf = "t",
                    text = "moved",
                }
            );
        });
        var known = (string?)(await host.PullAsync(user: "ben"))["checkpoint"]!["position"];
        await host.WriteAsync(async records => await records.RevokeAsync(ShelfCollections.Space("s"), "ben"));
        var document = (await host.PullAsync(known, user: "ben"))["documents"]!.AsArray().Single()!;
        Assert.Equal(("moved", false), ((string?)document["text"], (bool)document["_deleted"]!));
    }

    [Fact]
    public async Task A_document_that_moved_to_one_reader_is_gone_for_the_others()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann", "ben");
        await host.ShelfAsync("t", "ann", "ben");
        await host.PushAsync("ann", (Thing("a", "first"), null));
        var known = (string?)(await host.PullAsync(user: "ben"))["checkpoint"]!["position"];
        await host.WriteAsync(async records =>
        {
            await records.DeleteAsync(ShelfCollections.Space("s"), "thing/a");
            await records.PutAsync(
                ShelfCollections.Space("t"),
                "thing/a",
                new
                {
                    id = "a",
                    shelf = "t",
                    text = "secret",
                },
                audience: "ann"
            );
        });
        var document = (await host.PullAsync(known, user: "ben"))["documents"]!.AsArray().Single()!;
        Assert.True((bool)document["_deleted"]!);
        Assert.DoesNotContain("secret", document.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_position_that_cannot_be_continued_has_its_own_error()
    {
        await using var host = await RxDbHost.StartAsync();
        await host.ShelfAsync("s", "ann");
        await host.PushAsync("ann", (Thing("a", "first"), null));
        await host.PushAsync("ann", (Thing("b", "second"), null));
        var known = (string)(await host.PullAsync(limit: 1))["checkpoint"]!["position"]!;
        await host.PushAsync("ann", (new { id = "b", _deleted = true }, Thing("b", "second")));
        await host.Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.RecordTables().Records.ForgetAsync(unit.Now.AddDays(1), ct);
                return true;
            }
        );
        var offset = known[(known.IndexOf('-', StringComparison.Ordinal) + 1)..];
        foreach (var position in new[] { known, $"00000000-{offset}", known[..9] + "999999" })
        {
            var (status, body, _) = await host.SendAsync(HttpMethod.Get, $"{ShelfApplication.Sync}/pull/things?position={position}");
            Assert.Equal((HttpStatusCode.Gone, "checkpoint_expired", "resync"), (status, (string?)body!["code"], (string?)body["class"]));
        }
        // Start again from the beginning. The checkpoint of a collection without changes is as new as the last pull.
        var fresh = (string?)(await host.PullAsync())["checkpoint"]!["position"];
        Assert.Empty((await host.PullAsync(fresh))["documents"]!.AsArray());
    }

    [Theory]
    [InlineData("pull/nothing", HttpStatusCode.NotFound, "not_found")]
    [InlineData("pull/things?limit=0", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("pull/things?limit=501", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("pull/things?limit=ten", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("pull/things?position=7", HttpStatusCode.BadRequest, "invalid_position")]
    [InlineData("pull/things?schema=x", HttpStatusCode.BadRequest, "invalid_field")]
    [InlineData("pull/things?schema=0", HttpStatusCode.UpgradeRequired, "schema_outdated")]
    [InlineData("pull/things?schema=3", HttpStatusCode.ServiceUnavailable, "draining")]
    [InlineData("pull/things?schema=1", HttpStatusCode.OK, null)]
    [InlineData("pull/things?schema=2", HttpStatusCode.OK, null)]
    [InlineData("pull/things", HttpStatusCode.OK, null)]
    public async Task An_invalid_request_is_named(string path, HttpStatusCode expected, string? code)
    {
        await using var host = await RxDbHost.StartAsync();
        var (status, body, response) = await host.SendAsync(HttpMethod.Get, $"{ShelfApplication.Sync}/{path}");
        Assert.Equal((expected, code), (status, (string?)body!["code"]));
        Assert.Equal(
            expected == HttpStatusCode.UpgradeRequired,
            response.Headers.Upgrade.Any(u => u.Name == "dunlin-schema" && u.Version == "2")
        );
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await host.SendAsync(HttpMethod.Get, $"{ShelfApplication.Sync}/{path}", user: null)).Status
        );
    }

    private static async ValueTask FillAsync(RecordWriter records, RxDbHost host, string shelf, int count, string? odd = null)
    {
        for (var i = 0; i < count; i++)
        {
            await records.PutAsync(
                ShelfCollections.Space(shelf),
                host.Documents.KeyOf("things", $"{shelf}{i}"),
                new
                {
                    id = $"{shelf}{i}",
                    shelf,
                    text = "x",
                },
                i % 2 == 1 ? odd : null
            );
        }
    }

    private static object Thing(string id, string text) =>
        new
        {
            id,
            shelf = "s",
            text,
            _deleted = false,
        };
}
