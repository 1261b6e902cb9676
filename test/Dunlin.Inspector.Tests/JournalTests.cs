using System.Text.Json;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class JournalTests
{
    [Theory]
    [InlineData("")]
    [InlineData("&pattern=teams/**")]
    [InlineData("&type=even")]
    public async Task Pages_backwards_reach_the_beginning_without_gap_or_repetition(string filter)
    {
        await using var host = await InspectedHost.StartAsync(store: builder =>
            builder.AddSqlite(Path.Combine(Directory.CreateTempSubdirectory("dunlin-inspector-").FullName, "d.db"))
        );
        for (var i = 1; i <= 60; i++)
            await host.PublishAsync(i % 3 == 0 ? "teams/7" : "other", i % 2 == 0 ? "even" : "odd");
        var wanted = Enumerable
            .Range(1, 60)
            .Where(i =>
                filter.Contains("teams", StringComparison.Ordinal)
                    ? i % 3 == 0
                    : !filter.Contains("even", StringComparison.Ordinal) || i % 2 == 0
            )
            .Select(i => (long)i)
            .ToList();
        var seen = new List<long>();
        long? before = null;
        do
        {
            var page = await host.GetAsync($"journal?limit=7{filter}{(before is null ? "" : "&before=" + before)}");
            seen.InsertRange(0, Offsets(page));
            before = page.TryGetProperty("before", out var next) ? next.GetInt64() : null;
        } while (before is not null);
        Assert.Equal(wanted, seen);
    }

    [Fact]
    public async Task Events_after_an_offset_and_of_a_user_are_found()
    {
        await using var host = await InspectedHost.StartAsync();
        await host.PublishAsync("a", user: "bob");
        await host.PublishAsync("a", user: "eve");
        await host.PublishAsync("a", user: "bob");
        var page = await host.GetAsync("journal?after=1");
        Assert.Equal([2, 3], Offsets(page));
        Assert.Equal(3, page.GetProperty("after").GetInt64());
        Assert.Equal([1, 3], Offsets(await host.GetAsync("journal?user=bob")));
        Assert.Empty(Offsets(await host.GetAsync("journal?after=3")));
    }

    [Fact]
    public async Task A_time_leads_to_the_first_event_at_or_after_it()
    {
        await using var host = await InspectedHost.StartAsync();
        for (var i = 0; i < 9; i++)
        {
            await host.PublishAsync("a");
            host.Time.Advance(TimeSpan.FromMinutes(1));
        }
        var start = new ManualTime().GetUtcNow();
        Assert.Equal([7, 8, 9], Offsets(await host.GetAsync($"journal?time={start.AddMinutes(5.5):yyyy-MM-ddTHH:mm:ssZ}")));
        Assert.Equal(9, Offsets(await host.GetAsync($"journal?time={start.AddDays(-1):yyyy-MM-ddTHH:mm:ssZ}")).Count);
        Assert.Empty(Offsets(await host.GetAsync($"journal?time={start.AddDays(1):yyyy-MM-ddTHH:mm:ssZ}")));
    }

    [Fact]
    public async Task An_event_is_shown_with_all_its_topics_and_extra_values()
    {
        await using var host = await InspectedHost.StartAsync();
        await host.PublishAsync("other");
        var draft = new EventDraft(TopicName.ForText("https://example.com/é"), "e", new byte[] { 0, 255 })
        {
            AlsoOn = [TopicName.Parse("teams/7")],
            IsRestricted = true,
            ForeignId = "urn:x",
            Format = EventFormat.Binary,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["retry"] = "50" },
        };
        await host.Host.Services.GetRequiredService<IJournal>().AppendAsync(draft);
        foreach (var pattern in new[] { "%23https://example.com/%C3%A9", "teams/7", "teams/**" })
        {
            var row = Assert.Single((await host.GetAsync($"journal?pattern={pattern}")).GetProperty("events").EnumerateArray());
            Assert.Equal("#https://example.com/é", row.GetProperty("topic").GetString());
            Assert.Equal("teams/7", row.GetProperty("alsoOn")[0].GetString());
            Assert.True(row.GetProperty("isRestricted").GetBoolean());
            Assert.Equal(("base64", "AP8="), (row.GetProperty("format").GetString(), row.GetProperty("data").GetString()));
            Assert.Equal("urn:x", row.GetProperty("foreignId").GetString());
            Assert.Equal("50", row.GetProperty("headers").GetProperty("retry").GetString());
        }
        Assert.False((await host.GetAsync("journal/1")).TryGetProperty("alsoOn", out _));
        (await host.SendAsync("GET", "journal?pattern=%23")).Is(400, "invalid_topic");
    }

    [Fact]
    public async Task An_event_is_shown_whole_and_a_list_shows_a_preview()
    {
        await using var host = await InspectedHost.StartAsync();
        await host.PublishAsync("a", data: new { text = new string('x', 1_000) });
        var row = (await host.GetAsync("journal")).GetProperty("events")[0];
        Assert.True(row.GetProperty("isCut").GetBoolean());
        Assert.Equal(240, row.GetProperty("data").GetString()!.Length);
        var whole = await host.GetAsync("journal/1");
        Assert.Equal(1_000, JsonElement.Parse(whole.GetProperty("data").GetString()!).GetProperty("text").GetString()!.Length);
        (await host.SendAsync("GET", "journal/2")).Is(404, "not_found");
        (await host.SendAsync("GET", "journal/-1")).Is(404, "not_found");
    }

    [Fact]
    public async Task Hidden_payloads_are_in_no_answer()
    {
        await using var host = await InspectedHost.StartAsync(options: options => options.ShowPayloads = false);
        await host.PublishAsync("a");
        Assert.False((await host.GetAsync("journal")).GetProperty("events")[0].TryGetProperty("data", out _));
        Assert.False((await host.GetAsync("journal/1")).TryGetProperty("data", out _));
    }

    [Theory]
    [InlineData("journal?pattern=a//b", "pattern")]
    [InlineData("journal?time=yesterday", "time")]
    [InlineData("journal?before=0", "before")]
    public async Task An_invalid_filter_is_named(string path, string field)
    {
        await using var host = await InspectedHost.StartAsync();
        Assert.Equal(field, (await host.SendAsync("GET", path)).Is(400, "invalid_field").Member("field"));
    }

    private static List<long> Offsets(JsonElement page) =>
        [.. page.GetProperty("events").EnumerateArray().Select(entry => entry.GetProperty("offset").GetInt64())];
}
