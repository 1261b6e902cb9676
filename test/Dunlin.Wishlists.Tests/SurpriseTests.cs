using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Wishlists.Tests.Support;

namespace Dunlin.Wishlists.Tests;

/// <summary>
/// Marks are secret from the owner: every answer and event that the owner can receive is the same, with or without marks of others.
/// </summary>
public sealed partial class SurpriseTests
{
    [Fact]
    public async Task Answers_and_events_of_the_owner_do_not_depend_on_marks()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        using var cat = host.Client("cat");
        var list = await ann.ListAsync();
        string[] items = [await ann.ItemAsync(list, "One", 3), await ann.ItemAsync(list, "Two", 2), await ann.ItemAsync(list, "Three")];
        var token = await ann.ShareAsync(list, "mark");
        await bob.JoinAsync(token);
        await cat.JoinAsync(token);
        await using var anns = await host.OpenAsync("ann");
        await using var bobs = await host.OpenAsync("bob");
        var before = await EverythingAsync(ann, list, items);

        await bob.OkAsync("PUT", $"items/{items[0]}/mark", new { quantity = 2 });
        Assert.Equal(
            (null, null),
            await cat.PushAsync(
                "marks",
                new
                {
                    id = items[0] + "~cat",
                    item_id = items[0],
                    quantity = 1,
                    _deleted = false,
                }
            )
        );
        await bob.OkAsync("PUT", $"items/{items[1]}/mark", new { quantity = 2 });
        await bob.RefusedAsync(409, "conflict", "PUT", $"items/{items[0]}/mark", new { quantity = 3 });
        await bob.OkAsync("DELETE", $"items/{items[1]}/mark");
        await cat.OkAsync("PUT", $"items/{items[2]}/mark", new { quantity = 1 });
        // The givers receive events ...
        for (var i = 0; i < 5; i++)
            Assert.Equal("marks:updated", (await bobs.NextAsync()).Type);

        Assert.Equal(before, await EverythingAsync(ann, list, items));
        // ... and the owner's next event is caused by the owner.
        await ann.OkAsync("PATCH", "wishlists/" + list, new { name = "Mine" });
        Assert.Equal("wishlists:updated", (await anns.NextAsync()).Type);
        Assert.Equal(["sync:ping", "wishlists:updated"], anns.Seen.Select(h => h.Type));
    }

    [Fact]
    public async Task Changes_of_the_owner_succeed_regardless_of_marks()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        var (marked, free) = (await ann.ItemAsync(list, "Thing", 3), await ann.ItemAsync(list, "Thing", 3));
        await bob.JoinAsync(await ann.ShareAsync(list, "mark"));
        await bob.OkAsync("PUT", $"items/{marked}/mark", new { quantity = 3 });
        foreach (
            var (method, body) in new[] { ("PATCH", (object?)new { quantity = 1 }), ("PATCH", new { title = "Other" }), ("DELETE", null) }
        )
        {
            var (one, two) = (await ann.SendAsync(method, "items/" + marked, body), await ann.SendAsync(method, "items/" + free, body));
            Assert.Equal((two.Status, Plain(two.Body, free)), (one.Status, Plain(one.Body, marked)));
        }
        Assert.Empty((await bob.OkAsync("GET", $"wishlists/{list}/marks")).EnumerateArray());
    }

    [Fact]
    public async Task The_owner_cannot_read_marks_by_an_engine_topic()
    {
        await using var host = await WishlistsHost.StartAsync();
        using var ann = host.Client("ann");
        using var bob = host.Client("bob");
        var list = await ann.ListAsync();
        var item = await ann.ItemAsync(list);
        await bob.JoinAsync(await ann.ShareAsync(list, "mark"));
        await bob.OkAsync("PUT", $"items/{item}/mark", new { quantity = 1 });
        foreach (
            var topic in new[]
            {
                $"records/wishlist-marks/{list}",
                "records/wishlist-tokens",
                "records/jobs/wishlists.resolve",
                "rxdb/bob",
                "rxdb",
                "records",
                $"records/wishlists/{list}",
            }
        )
        {
            foreach (var path in new[] { "events", "journal", "presence" })
                Assert.Equal(403, (await ann.SendAsync("GET", $"/dunlin/v1/{path}?topic={Uri.EscapeDataString(topic)}")).Status);
            Assert.Equal(
                403,
                (
                    await ann.SendAsync(
                        "POST",
                        "/dunlin/v1/events",
                        new
                        {
                            topic,
                            type = "x",
                            data = 1,
                        }
                    )
                ).Status
            );
        }
    }

    /// <summary>Returns all data that the owner can request, without times, versions and positions.</summary>
    private static async Task<string> EverythingAsync(WishlistsClient ann, string list, string[] items)
    {
        var answers = new List<string>();
        async Task AskAsync(string method, string path, object? body = null)
        {
            var answer = await ann.SendAsync(method, path, body);
            var headers = string.Join(
                ' ',
                answer.Headers.Where(h => h.Key is "ETag" or "Dunlin-Refused").Select(h => $"{h.Key}={string.Join(',', h.Value)}")
            );
            answers.Add($"{method} {path} {answer.Status} {headers} {Plain(answer.Body)}");
        }
        foreach (
            var path in new[]
            {
                "wishlists",
                "wishlists/shared",
                $"wishlists/{list}",
                $"wishlists/{list}/items",
                $"wishlists/{list}/marks",
                $"wishlists/{list}/shares",
                "events/status",
                "/dunlin/v1/stats",
            }
        )
            await AskAsync("GET", path);
        foreach (var collection in new[] { "wishlists", "items", "marks" })
            await AskAsync("GET", $"sync/pull/{collection}?limit=100");
        foreach (var item in items)
        {
            await AskAsync("GET", "items/" + item);
            foreach (var quantity in new[] { 1, 2, 1_000 })
                await AskAsync("PUT", $"items/{item}/mark", new { quantity });
            await AskAsync("DELETE", $"items/{item}/mark");
            foreach (var user in new[] { "ann", "bob", "cat" })
            {
                foreach (var deleted in new[] { false, true })
                {
                    var mark = new
                    {
                        id = $"{item}~{user}",
                        item_id = item,
                        quantity = 1,
                        _deleted = deleted,
                    };
                    await AskAsync("POST", "sync/push/marks", new object[] { new { newDocumentState = mark } });
                    await AskAsync(
                        "POST",
                        "sync/push/marks",
                        new object[]
                        {
                            new
                            {
                                newDocumentState = mark,
                                assumedMasterState = new
                                {
                                    mark.id,
                                    mark.item_id,
                                    quantity = 2,
                                    _deleted = false,
                                },
                            },
                        }
                    );
                }
            }
        }
        return string.Join('\n', answers);
    }

    private static string Plain(JsonElement body, string? id = null)
    {
        var text = body.ValueKind == JsonValueKind.Undefined ? "" : Changing().Replace(body.GetRawText(), "");
        return id is null ? text : text.Replace(id, "ID", StringComparison.Ordinal);
    }

    [GeneratedRegex("\"(traceId|position|created_at|updated_at|openedAt)\":\"[^\"]*\"")]
    private static partial Regex Changing();
}
