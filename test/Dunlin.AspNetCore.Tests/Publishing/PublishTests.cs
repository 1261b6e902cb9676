using System.Net;
using System.Text.Json;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Publishing;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Publishing;

public sealed class PublishTests
{
    private const string Events = "/dunlin/v1/events";

    [Fact]
    public async Task A_batch_is_atomic_and_returns_one_position_per_event()
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("secret");
        using var ann = host.Client();
        var answer = await SendAsync(
            ann,
            """[{"topic":"a","type":"x","data":{"n":1}},{"topic":"b","type":"y","data":[1,2]},{"topic":"a","type":"typing","data":null,"transient":true}]"""
        );
        var positions = answer.GetProperty("positions").EnumerateArray().ToList();
        Assert.Equal([1L, 2L], positions.Take(2).Select(p => Position.Parse(p.GetString()!, null).Offset));
        Assert.Equal(JsonValueKind.Null, positions[2].ValueKind);
        using var refused = await ann.PostAsync(
            Events,
            HttpAssert.Json("""[{"topic":"a","type":"x","data":1},{"topic":"secret","type":"x","data":1}]""")
        );
        await HttpAssert.ProblemAsync(refused, 403, "forbidden");
        Assert.Equal(2, host.Journal.Head.Offset);
    }

    [Fact]
    public async Task A_repeated_idempotency_key_returns_the_position_or_refuses_a_change()
    {
        await using var host = await EngineHost.StartAsync();
        using var ann = host.Client();
        const string body = """{"topic":"a","type":"x","data":1,"idempotencyKey":"k1"}""";
        var first = await SendAsync(ann, body);
        var again = await SendAsync(ann, body);
        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.Equal(1, host.Journal.Head.Offset);
        using var other = await ann.PostAsync(Events, HttpAssert.Json("""{"topic":"a","type":"x","data":2,"idempotencyKey":"k1"}"""));
        await HttpAssert.ProblemAsync(other, 409, "idempotency_key_reused");
        // Keys of different users are independent.
        using var bob = host.Client("bob");
        await SendAsync(bob, body);
        Assert.Equal(2, host.Journal.Head.Offset);
        using var byHeader = new HttpRequestMessage(HttpMethod.Post, Events)
        {
            Content = HttpAssert.Json("""{"topic":"a","type":"x","data":1}"""),
        };
        byHeader.Headers.Add("Idempotency-Key", "k1");
        using var response = await ann.SendAsync(byHeader);
        Assert.Equal(first.GetRawText(), await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("", 400, "invalid_json", null)]
    [InlineData("{", 400, "invalid_json", null)]
    [InlineData("""{"topic":"a","type":"x","data":1} x""", 400, "invalid_json", null)]
    [InlineData("3", 400, "invalid_field", null)]
    [InlineData("[]", 400, "invalid_field", null)]
    [InlineData("[3]", 400, "invalid_field", "[0]")]
    [InlineData("""{"type":"x","data":1}""", 400, "invalid_field", "topic")]
    [InlineData("""{"topic":"a","data":1}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"x"}""", 400, "invalid_field", "data")]
    [InlineData("""{"topic":1,"type":"x","data":1}""", 400, "invalid_field", "topic")]
    [InlineData("""{"topic":"a b","type":"x","data":1}""", 400, "invalid_topic", "topic")]
    [InlineData("""{"topic":"a","type":"x\n","data":1}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"","data":1}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"x","data":1,"transient":"yes"}""", 400, "invalid_field", "transient")]
    [InlineData("""{"topic":"a","type":"x","data":1,"idempotencyKey":""}""", 400, "invalid_field", "idempotencyKey")]
    [InlineData("""{"topic":"a","type":"x","data":1,"colour":"red"}""", 400, "unknown_field", "colour")]
    [InlineData("""{"topic":"a","topic":"b","type":"x","data":1}""", 400, "invalid_json", "topic")]
    [InlineData("""[{"topic":"a","type":"x","data":1},{"topic":"a","type":"x"}]""", 400, "invalid_field", "[1].data")]
    [InlineData("""{"topic":"a","type":"x","data":"\ud800"}""", 400, "invalid_field", "data")]
    [InlineData(
        """[{"topic":"a","type":"x","data":1},{"topic":"a","type":"x","data":{"n":["\udc00"]}}]""",
        400,
        "invalid_field",
        "[1].data.n[0]"
    )]
    [InlineData("""{"topic":"\ud800","type":"x","data":1}""", 400, "invalid_field", "topic")]
    [InlineData("""{"topic":"a","type":"\ud800","data":1}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"x","data":1,"idempotencyKey":"\ud800"}""", 400, "invalid_field", "idempotencyKey")]
    [InlineData("""{"topic":"a","type":"x","data":1,"idempotencyKey":"k\u0000"}""", 400, "invalid_field", "idempotencyKey")]
    [InlineData("""{"topic":"a","type":"x","data":1,"\ud800":1}""", 400, "invalid_field", "\\ud800")]
    [InlineData("""{"topic":"a","type":"x","data":{"\ud800":1}}""", 400, "invalid_field", "data.\\ud800")]
    [InlineData("""{"topic":"teams/7/typing","type":"dunlin.goodbye","data":{"reason":"signedOut"}}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"presence.joined","data":{"userId":"bob"},"transient":true}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"lease.granted","data":{}}""", 400, "invalid_field", "type")]
    [InlineData("""[{"topic":"a","type":"x","data":1},{"topic":"a","type":"error","data":1}]""", 400, "invalid_field", "[1].type")]
    [InlineData("""{"topic":"a","type":"open","data":1,"transient":true}""", 400, "invalid_field", "type")]
    [InlineData("""{"topic":"a","type":"message","data":"\u0000","transient":false}""", 200, null, null)]
    [InlineData("""{"topic":"a","type":"x","data":{"n":1e400,"n":9007199254740993}}""", 200, null, null)]
    public async Task An_invalid_body_names_its_field_and_changes_nothing(string body, int status, string? code, string? field)
    {
        await using var host = await EngineHost.StartAsync();
        using var ann = host.Client();
        using var response = await ann.PostAsync(Events, HttpAssert.Json(body));
        if (code is null)
        {
            Assert.Equal(status, (int)response.StatusCode);
            return;
        }
        var problem = await HttpAssert.ProblemAsync(response, status, code);
        if (field is not null)
            Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Equal(0, host.Journal.Head.Offset);
    }

    [Fact]
    public async Task Data_of_maximum_depth_round_trips_and_deeper_data_is_refused()
    {
        await using var host = await EngineHost.StartAsync();
        using var ann = host.Client();
        static string Nested(int depth) => new string('[', depth) + new string(']', depth);
        static string Objects(int depth) => string.Concat(Enumerable.Repeat("{\"n\":", depth)) + "1" + new string('}', depth);
        foreach (var data in new[] { Nested(JsonText.MaxDepth), Objects(JsonText.MaxDepth) })
        {
            await SendAsync(ann, $$"""{"topic":"a/b","type":"x","data":{{data}}}""");
            await SendAsync(ann, $$"""[{"topic":"a/b","type":"x","data":{{data}}}]""");
        }
        foreach (var deep in new[] { Nested(JsonText.MaxDepth + 1), Objects(62), Nested(63), Nested(5_000) })
        {
            using var refused = await ann.PostAsync(Events, HttpAssert.Json($$"""{"topic":"a/b","type":"x","data":{{deep}}}"""));
            var problem = await HttpAssert.ProblemAsync(refused, 400, "invalid_json");
            Assert.StartsWith("data", problem.GetProperty("field").GetString(), StringComparison.Ordinal);
            using var array = await ann.PostAsync(Events, HttpAssert.Json($$"""[{"topic":"a/b","type":"x","data":{{deep}}}]"""));
            await HttpAssert.ProblemAsync(array, 400, "invalid_json");
        }
        // The default depth of readers fits a whole page.
        foreach (var topic in new[] { "a/b", "a/*", "a/**" })
            Assert.Equal(4, (await GetAsync(ann, $"/dunlin/v1/journal?topic={topic}")).GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task A_journal_page_returns_events_of_older_versions_unchanged()
    {
        await using var host = await EngineHost.StartAsync();
        var deep = new string('[', 63) + new string(']', 63);
        string[] stored =
        [
            "\"abc\\ud83d\"",
            "{\"\\udc00\":1}",
            deep,
            "{\"a\":1,\"a\":2}",
            "\"\\u0000\"",
            "1e400",
            "{\n \"a\": 1\r\n}",
            "",
            "no json",
            "{} {}",
            "\0\0",
        ];
        await host.Journal.AppendAsync(
            [.. stored.Select(data => new EventDraft(TopicName.Parse("a/b"), "x", System.Text.Encoding.UTF8.GetBytes(data)))],
            null,
            default
        );
        using var ann = host.Client();
        foreach (var topic in new[] { "a/b", "a/*", "a/**" })
        {
            var text = await ann.GetStringAsync($"/dunlin/v1/journal?topic={topic}");
            using var page = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 100 });
            var events = page.RootElement.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("data")).ToList();
            Assert.Equal(stored.Take(7), events.Take(7).Select(data => data.GetRawText()));
            Assert.Equal(stored.Skip(7), events.Skip(7).Select(data => data.GetString()));
        }
    }

    [Fact]
    public async Task A_journal_page_names_extra_values_and_leaves_out_restricted_events()
    {
        await using var host = await EngineHost.StartAsync();
        EventDraft Draft(bool isRestricted) =>
            new(TopicName.Parse("a"), "x", new byte[] { 0, 255 })
            {
                AlsoOn = [TopicName.Parse("lists/b"), TopicName.ForText("é")],
                IsRestricted = isRestricted,
                ForeignId = "urn:x",
                Format = EventFormat.Binary,
                Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["retry"] = "50" },
            };
        var text = new EventDraft(TopicName.Parse("lists/b"), "x", "7"u8.ToArray()) { Format = EventFormat.Text };
        await host.Journal.AppendAsync([Draft(isRestricted: true), Draft(isRestricted: false), text], null, default);
        using var ann = host.Client();
        foreach (var topic in new[] { "lists/b", "lists/*", "lists/**" })
        {
            var events = (await GetAsync(ann, $"/dunlin/v1/journal?topic={topic}")).GetProperty("events");
            Assert.Equal(2, events.GetArrayLength());
            Assert.Equal(["lists/b", "#é"], events[0].GetProperty("alsoOn").EnumerateArray().Select(name => name.GetString()));
            Assert.Equal(("base64", "AP8="), (events[0].GetProperty("format").GetString(), events[0].GetProperty("data").GetString()));
            Assert.Equal("urn:x", events[0].GetProperty("foreignId").GetString());
            Assert.Equal("50", events[0].GetProperty("headers").GetProperty("retry").GetString());
            Assert.False(events[0].TryGetProperty("restricted", out _));
            Assert.Equal(("text", "7"), (events[1].GetProperty("format").GetString(), events[1].GetProperty("data").GetString()));
        }
        using var admin = host.Client("admin");
        var all = (await GetAsync(admin, "/dunlin/v1/journal?topic=lists/b")).GetProperty("events");
        Assert.Equal(3, all.GetArrayLength());
        Assert.True(all[0].GetProperty("restricted").GetBoolean());
        await HttpAssert.ProblemAsync(await ann.GetAsync("/dunlin/v1/journal?topic=%23x"), 400, "invalid_topic");
    }

    [Fact]
    public async Task Size_type_and_sign_in_refusals_name_the_limit()
    {
        await using var host = await EngineHost.StartAsync();
        using var ann = host.Client();
        string Body(int bytes) => $$"""{"topic":"a","type":"x","data":"{{new string('x', bytes - 2)}}"}""";
        await SendAsync(ann, Body(64 * 1024));
        using var large = await ann.PostAsync(Events, HttpAssert.Json(Body((64 * 1024) + 1)));
        Assert.Equal(64 * 1024, (await HttpAssert.ProblemAsync(large, 413, "too_large")).GetProperty("limit").GetInt32());
        using var huge = await ann.PostAsync(Events, HttpAssert.Json(Body(2 * 1024 * 1024)));
        Assert.Equal(1024 * 1024, (await HttpAssert.ProblemAsync(huge, 413, "too_large")).GetProperty("limit").GetInt32());
        using var many = await ann.PostAsync(
            Events,
            HttpAssert.Json("[" + string.Join(',', Enumerable.Repeat("""{"topic":"a","type":"x","data":1}""", 1_001)) + "]")
        );
        await HttpAssert.ProblemAsync(many, 413, "too_large");
        using var text = await ann.PostAsync(Events, HttpAssert.Json(Body(10), "text/plain"));
        await HttpAssert.ProblemAsync(text, 415, "unsupported_media_type");
        using var nobody = host.Client(null);
        await HttpAssert.ProblemAsync(await nobody.PostAsync(Events, HttpAssert.Json(Body(10))), 401, "not_signed_in");
        using var wrong = await ann.DeleteAsync(Events);
        await HttpAssert.ProblemAsync(wrong, 405, "method_not_allowed");
        Assert.Equal(1, host.Journal.Head.Offset);
    }

    [Fact]
    public async Task A_user_over_the_publish_rate_gets_a_delay_and_others_are_unaffected()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<PublishOptions>(o => (o.PerSecond, o.Burst) = (10, 20))
        );
        using var ann = host.Client();
        for (var i = 0; i < 20; i++)
            await SendAsync(ann, """{"topic":"a","type":"x","data":1}""");
        using var refused = await ann.PostAsync(Events, HttpAssert.Json("""{"topic":"a","type":"x","data":1}"""));
        await HttpAssert.ProblemAsync(refused, 429, "too_many_requests");
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        await host.PublishAsync("a", 1, "bob");
        host.Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 10; i++)
            await SendAsync(ann, """{"topic":"a","type":"x","data":1}""");
        using var again = await ann.PostAsync(Events, HttpAssert.Json("""{"topic":"a","type":"x","data":1}"""));
        Assert.Equal(HttpStatusCode.TooManyRequests, again.StatusCode);
    }

    [Fact]
    public async Task Event_data_round_trips()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a");
        await reader.NextAsync();
        using var ann = host.Client();
        const string data = "{\n  \"a\" : [1.0, 1e3, \"\\u00e9\\n\"],\r\n  \"b\": {\"c\": null}\n}";
        await SendAsync(ann, $$"""{"topic":"a","type":"x","data":{{data}}}""");
        Assert.Equal(data.ReplaceLineEndings("\n"), (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task Journal_paging_reports_trimmed_history()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<RetentionOptions>(o => o.Prefixes["a"] = new RetentionRule { MaxCount = 3 })
        );
        for (var i = 1; i <= 5; i++)
            await host.PublishAsync("a", i);
        using var ann = host.Client();
        var all = await GetAsync(ann, "/dunlin/v1/journal?topic=a");
        Assert.Equal([1, 2, 3, 4, 5], all.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("data").GetInt32()));
        var page = await GetAsync(ann, "/dunlin/v1/journal?topic=a&limit=2");
        Assert.True(page.GetProperty("hasMore").GetBoolean());
        var next = await GetAsync(ann, $"/dunlin/v1/journal?topic=a&limit=2&after={page.GetProperty("position").GetString()}");
        Assert.Equal([3, 4], next.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("data").GetInt32()));
        Assert.Equal(JsonValueKind.Null, next.GetProperty("reset").ValueKind);
        await host.Journal.TrimAsync(default);
        var first = all.GetProperty("events")[0].GetProperty("position").GetString();
        var gone = await GetAsync(ann, $"/dunlin/v1/journal?topic=a&after={first}");
        Assert.Equal("trimmed", gone.GetProperty("reset").GetString());
        foreach (
            var (query, code) in new[]
            {
                ("?limit=5", "invalid_field"),
                ("?topic=a&limit=0", "invalid_field"),
                ("?topic=a&limit=x", "invalid_field"),
                ("?topic=a&after=x", "invalid_position"),
            }
        )
            await HttpAssert.ProblemAsync(await ann.GetAsync("/dunlin/v1/journal" + query), 400, code);
        host.Refused.Add("a");
        await HttpAssert.ProblemAsync(await ann.GetAsync("/dunlin/v1/journal?topic=a"), 403, "forbidden");
    }

    [Fact]
    public async Task A_store_fault_is_503_and_the_key_recovers_a_lost_reply()
    {
        var faults = new CommitFaults();
        await using var host = await EngineHost.StartAsync(services =>
        {
            services.AddSingleton(provider => new FaultyJournal(provider.GetRequiredService<InMemoryStore>(), faults));
            services.AddSingleton<IJournal>(provider => provider.GetRequiredService<FaultyJournal>());
        });
        using var ann = host.Client();
        faults.FailNext();
        const string body = """{"topic":"a","type":"x","data":1,"idempotencyKey":"k"}""";
        using var failed = await ann.PostAsync(Events, HttpAssert.Json(body));
        await HttpAssert.ProblemAsync(failed, 503, "store_unavailable");
        Assert.Equal(0, host.Journal.Head.Offset);
        faults.LoseNextReply();
        using var lost = await ann.PostAsync(Events, HttpAssert.Json(body));
        Assert.Equal("resync", (await HttpAssert.ProblemAsync(lost, 503, "outcome_unknown")).GetProperty("class").GetString());
        var answer = await SendAsync(ann, body);
        Assert.Equal(1, Position.Parse(answer.GetProperty("positions")[0].GetString()!, null).Offset);
        Assert.Equal(1, host.Journal.Head.Offset);
    }

    private static async Task<JsonElement> SendAsync(HttpClient client, string body)
    {
        using var response = await client.PostAsync(Events, HttpAssert.Json(body));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) =>
        JsonDocument.Parse(await client.GetStringAsync(path)).RootElement;
}
