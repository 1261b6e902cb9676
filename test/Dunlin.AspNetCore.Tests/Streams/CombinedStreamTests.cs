using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Streams.Combined;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>Streams in one combined response have the same guarantees as separate streams.</summary>
public sealed partial class CombinedStreamTests
{
    private const string Path = "/dunlin/v1/streams";

    [Fact]
    public async Task One_response_carries_streams_of_all_formats_as_own_connections()
    {
        await using var host = await EngineHost.StartAsync(services => services.AddSingleton<Effects>(), map: MapApplication);
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann",
            Stream("e", "/dunlin/v1/events?topic=a"),
            Stream("t", "/app/typed"),
            Stream("w", "/app/word?x=%2F")
        );
        var ids = new List<string>();
        foreach (var stream in new[] { "e", "t", "w" })
            ids.Add((await combined.ControlAsync(stream, "connection"))["connection"]!);
        Assert.Equal(3, ids.Distinct().Count());
        Assert.All(ids, id => Assert.NotNull(host.Fanout.Find(id)));
        Assert.Equal("text/event-stream; charset=utf-8", combined.Response.Content.Headers.ContentType!.ToString());
        var hello = await combined.NextAsync("e");
        Assert.Equal(ids[0], JsonDocument.Parse(hello["data"]!).RootElement.GetProperty("connectionId").GetString());
        Assert.Equal("""{"type":"greeting","data":"/app/typed"}""", (await combined.NextAsync("t"))["data"]);
        Assert.Equal("?x=%2F", (await combined.NextAsync("w"))["data"]);

        var position = await host.PublishAsync("a", 1);
        foreach (var (stream, data) in new[] { ("e", "1"), ("t", """{"type":"e","data":1}"""), ("w", "sync") })
        {
            var block = await combined.NextAsync(stream);
            Assert.Equal((position, data), (block["id"], block["data"]));
        }
        Assert.Equal(1, host.Services.GetRequiredService<CombinedStreams>().Count);
    }

    [Fact]
    public async Task G2_Each_stream_resumes_at_its_position_without_gap_or_duplicate()
    {
        var random = TestSeed.NewRandom(out var seed);
        await using var host = await EngineHost.StartAsync();
        string[] topics = ["a", "b", "c"];
        var sent = topics.ToDictionary(topic => topic, _ => new List<string>());
        var seen = topics.ToDictionary(topic => topic, _ => new List<string>());
        var last = topics.ToDictionary(topic => topic, _ => host.Journal.Head.ToString());
        for (var round = 0; round < 6; round++)
        {
            await using var combined = await CombinedReader.OpenAsync(
                host,
                "ann",
                [.. topics.Select(topic => Stream($"{topic}{round}", $"/dunlin/v1/events?topic={topic}", last[topic]))]
            );
            for (var i = 0; i < 30; i++)
            {
                var topic = topics[random.Next(3)];
                sent[topic].Add($"{sent[topic].Count}");
                await host.PublishAsync(topic, sent[topic].Count - 1);
            }
            // Read some events of each stream, then break the connection; data in flight is lost.
            foreach (var topic in topics)
            {
                var count = random.Next(sent[topic].Count - seen[topic].Count + 1);
                while (count > 0)
                {
                    var block = await combined.NextAsync($"{topic}{round}");
                    if (block["event"] == "dunlin.hello")
                        continue;
                    seen[topic].Add(block["data"]!);
                    last[topic] = block["id"]!;
                    count--;
                }
            }
        }
        await using var rest = await CombinedReader.OpenAsync(
            host,
            "ann",
            [.. topics.Select(topic => Stream(topic, $"/dunlin/v1/events?topic={topic}", last[topic]))]
        );
        foreach (var topic in topics)
        {
            while (seen[topic].Count < sent[topic].Count)
            {
                var block = await rest.NextAsync(topic);
                if (block["event"] != "dunlin.hello")
                    seen[topic].Add(block["data"]!);
            }
            Assert.True(sent[topic].SequenceEqual(seen[topic]), $"seed {seed}, topic {topic}: {string.Join(' ', seen[topic])}");
        }
    }

    [Fact]
    public async Task Streams_open_and_close_during_the_response()
    {
        await using var host = await EngineHost.StartAsync();
        await using var combined = await CombinedReader.OpenAsync(host, "ann", Stream("1", "/dunlin/v1/events?topic=a"));
        await combined.ControlAsync("1", "connection");
        await combined.ChangeAsync(
            new { open = new[] { Stream("2", "/dunlin/v1/events?topic=b") }, close = new[] { "1", "never-opened" } }
        );
        await combined.ControlAsync("1", "end");
        await combined.ControlAsync("2", "connection");
        await host.PublishAsync("a", "unheard");
        await host.PublishAsync("b", "heard");
        Assert.Equal("dunlin.hello", (await combined.NextAsync("2"))["event"]);
        Assert.Equal("\"heard\"", (await combined.NextAsync("2"))["data"]);
        Assert.Equal(1, host.Fanout.ConnectionCount);
        await combined.ChangeAsync(new { close = new[] { "2" } });
        await combined.ToTheEndAsync();
        Assert.Equal(0, host.Fanout.ConnectionCount);
        Assert.Equal(0, host.Services.GetRequiredService<CombinedStreams>().Count);
    }

    [Theory]
    [InlineData("/dunlin/v1/events?topic=secret", 403, "forbidden")]
    [InlineData("/dunlin/v1/events", 400, "invalid_field")]
    [InlineData("/dunlin/v1/events?topic=a%20b", 400, "invalid_topic")]
    [InlineData("/dunlin/v1/events?topic=a&echo=maybe", 400, "invalid_field")]
    [InlineData("/dunlin/v1/stats", 404, "not_found")]
    [InlineData("/dunlin/v1/streams", 404, "not_found")]
    [InlineData("/app/effect", 404, "not_found")]
    [InlineData("/nowhere", 404, null)]
    [InlineData("/app/broken", 500, "internal")]
    [InlineData("/app/not-a-stream", 500, "internal")]
    [InlineData("/app/blocked", 418, null)]
    public async Task A_refused_stream_has_the_status_and_problem_of_a_single_request(string path, int status, string? code)
    {
        await using var host = await EngineHost.StartAsync(services => services.AddSingleton<Effects>(), map: MapApplication);
        host.Refused.Add("secret");
        await using var combined = await CombinedReader.OpenAsync(
            host,
            "ann",
            Stream("bad", path),
            Stream("good", "/dunlin/v1/events?topic=a")
        );
        var refusal = await combined.ControlAsync("bad", "status");
        Assert.Equal($"{status}", refusal["status"]);
        if (code is not null)
            Assert.Equal(
                (code, status),
                (refusal.Problem.GetProperty("code").GetString(), refusal.Problem.GetProperty("status").GetInt32())
            );
        await combined.ControlAsync("good", "connection");
        Assert.Equal(1, host.Fanout.ConnectionCount);
        Assert.Equal(0, host.Services.GetRequiredService<Effects>().Count);
    }

    [Fact]
    public async Task A_response_without_accepted_streams_ends()
    {
        await using var host = await EngineHost.StartAsync(services => services.Configure<EventStreamOptions>(o => o.MaxPerUser = 1));
        host.Refused.Add("secret");
        await using (
            var combined = await CombinedReader.OpenAsync(
                host,
                "ann",
                Stream("1", "/dunlin/v1/events?topic=secret"),
                Stream("2", "/dunlin/v1/stats")
            )
        )
        {
            await combined.ToTheEndAsync();
            Assert.Equal(["403", "404"], combined.Controls.Select(block => block["status"]).Order());
        }
        // The slot was released.
        await using var next = await CombinedReader.OpenAsync(host, "ann", Stream("1", "/dunlin/v1/events?topic=a"));
        await next.ControlAsync("1", "connection");
    }

    [Theory]
    [InlineData("""{}""", 400, "invalid_field")]
    [InlineData("""{"streams":[]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[null]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"","path":"/x"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a\nstream: b","path":"/x"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"x"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"//other.example/x"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"/x y"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"/x#y"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"/x?ticket=abc"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"/x","lastEventId":"1\r\n2"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"/x"},{"id":"a","path":"/y"}]}""", 400, "invalid_field")]
    [InlineData("""{"streams":[{"id":"a","path":"/x","method":"POST"}]}""", 400, "unknown_field")]
    [InlineData("""[]""", 400, "invalid_field")]
    [InlineData("", 400, "invalid_json")]
    public async Task An_invalid_request_is_refused_as_a_whole(string body, int status, string code)
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var opening = await client.PostAsync(Path, HttpAssert.Json(body));
        await HttpAssert.ProblemAsync(opening, status, code);
        Assert.Equal(0, host.Services.GetRequiredService<CombinedStreams>().Count);
    }

    [Fact]
    public async Task Paths_are_limited_and_64_topics_of_200_characters_fit()
    {
        await using var host = await EngineHost.StartAsync();
        // An encoded '@' has three characters.
        var topics = Enumerable.Range(0, 64).Select(i => $"{i:d3}" + new string('@', 197)).ToList();
        var query = string.Join('&', topics.Select(topic => $"topic={Uri.EscapeDataString(topic)}"));
        await using var combined = await CombinedReader.OpenAsync(host, "ann", Stream("1", $"/dunlin/v1/events?{query}"));
        await combined.ControlAsync("1", "connection");
        Assert.Equal("dunlin.hello", (await combined.NextAsync("1"))["event"]);
        await host.PublishAsync(topics[63], "heard");
        Assert.Equal("\"heard\"", (await combined.NextAsync("1"))["data"]);
        using var client = host.Client();
        using var tooLong = await CombinedReader.PostAsync(
            client,
            Path,
            new { streams = new[] { Stream("1", "/" + new string('x', StreamWish.MaxPath)) } }
        );
        await HttpAssert.ProblemAsync(tooLong, 400, "invalid_field");
    }

    [Fact]
    public async Task Only_the_same_user_and_session_can_change_a_response()
    {
        await using var host = await EngineHost.StartAsync();
        await using var combined = await CombinedReader.OpenAsync(host, "ann:s1", Stream("1", "/dunlin/v1/events?topic=a"));
        foreach (
            var (user, id) in new[]
            {
                ("bob:s1", combined.Id),
                ("ann:s2", combined.Id),
                ("ann", combined.Id),
                ("ann:s1", "0123456789abcdef01234567"),
            }
        )
        {
            using var client = host.Client(user);
            using var refused = await CombinedReader.PostAsync(
                client,
                $"{Path}/{id}",
                new { open = new[] { Stream("2", "/dunlin/v1/events?topic=b") }, close = new[] { "1" } }
            );
            await HttpAssert.ProblemAsync(refused, 404, "not_found");
        }
        using var nobody = host.Client(null);
        using var opening = await CombinedReader.PostAsync(
            nobody,
            Path,
            new { streams = new[] { Stream("1", "/dunlin/v1/events?topic=a") } }
        );
        await HttpAssert.ProblemAsync(opening, 401, "not_signed_in");
        await combined.ControlAsync("1", "connection");
        await host.PublishAsync("a", "still open");
        Assert.Equal("dunlin.hello", (await combined.NextAsync("1"))["event"]);
        Assert.Equal("\"still open\"", (await combined.NextAsync("1"))["data"]);
    }

    [Fact]
    public async Task A_refused_change_changes_nothing()
    {
        await using var host = await EngineHost.StartAsync();
        await using var combined = await CombinedReader.OpenAsync(host, "ann", Stream("1", "/dunlin/v1/events?topic=a"));
        await combined.ControlAsync("1", "connection");
        using var ann = host.Client();
        using var reused = await CombinedReader.PostAsync(
            ann,
            $"{Path}/{combined.Id}",
            new
            {
                open = new[] { Stream("2", "/dunlin/v1/events?topic=b"), Stream("1", "/dunlin/v1/events?topic=b") },
                close = new[] { "1" },
            }
        );
        await HttpAssert.ProblemAsync(reused, 400, "invalid_field");
        await host.PublishAsync("a", "still open");
        Assert.Equal("dunlin.hello", (await combined.NextAsync("1"))["event"]);
        Assert.Equal("\"still open\"", (await combined.NextAsync("1"))["data"]);
        Assert.Equal(1, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task Limits_count_a_response_once_and_bound_its_streams()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<EventStreamOptions>(o => (o.MaxPerUser, o.MaxCombined) = (2, 3))
        );
        await using var first = await CombinedReader.OpenAsync(
            host,
            "ann",
            [.. "abc".Select(c => Stream($"{c}", $"/dunlin/v1/events?topic={c}"))]
        );
        foreach (var id in "abc")
            await first.ControlAsync($"{id}", "connection");
        await using var second = await host.OpenAsync("/dunlin/v1/events?topic=a");
        using var client = host.Client();
        using var third = await CombinedReader.PostAsync(
            client,
            Path,
            new { streams = new[] { Stream("1", "/dunlin/v1/events?topic=a") } }
        );
        await HttpAssert.ProblemAsync(third, 429, "too_many_connections");
        using var fourth = await CombinedReader.PostAsync(
            client,
            $"{Path}/{first.Id}",
            new { open = new[] { Stream("d", "/dunlin/v1/events?topic=d") } }
        );
        Assert.Equal(3, (await HttpAssert.ProblemAsync(fourth, 429, "too_many_connections")).GetProperty("limit").GetInt32());
        // Close one stream and open another in one request.
        await first.ChangeAsync(new { open = new[] { Stream("d", "/dunlin/v1/events?topic=d") }, close = new[] { "a" } });
        await first.ControlAsync("d", "connection");
        using var bob = host.Client("bob");
        using var tooMany = await CombinedReader.PostAsync(
            bob,
            Path,
            new { streams = "1234".Select(c => Stream($"{c}", "/dunlin/v1/events?topic=a")) }
        );
        await HttpAssert.ProblemAsync(tooMany, 429, "too_many_connections");
    }

    private static object Stream(string id, string path, string? lastEventId = null) =>
        new
        {
            id,
            path,
            lastEventId,
        };

    private static void MapApplication(WebApplication app)
    {
        var effects = app.Services.GetRequiredService<Effects>();
        app.MapEventStream(
            "/app/typed",
            context =>
                ServeAsync(context, WireFormats.Typed, frame => frame.Json(new { type = "greeting", data = context.Request.Path.Value }))
        );
        app.MapEventStream(
            "/app/word",
            context => ServeAsync(context, WordFormat, frame => frame.Data(context.Request.QueryString.Value!))
        );
        app.MapEventStream("/app/broken", _ => throw new InvalidTimeZoneException("on purpose"));
        app.MapEventStream("/app/not-a-stream", context => context.Response.WriteAsync("hello"));
        app.MapEventStream(
            "/app/blocked",
            context =>
            {
                context.Response.StatusCode = 418;
                return Task.CompletedTask;
            }
        );
        var restricted = app.MapEventStream(
            "/app/administrators",
            context => ServeAsync(context, WireFormats.Typed, frame => frame.Data("in"))
        );
        if (app.Services.GetService<IAuthorizationService>() is not null)
            restricted.RequireAuthorization(policy => policy.RequireClaim("roles", "admin"));
        app.MapGet("/app/effect", () => effects.Count++);
    }

    private static readonly IWireFormat WordFormat = WireFormats.Word("sync");

    private static Task ServeAsync(HttpContext context, IWireFormat format, Action<FrameWriter> greet) =>
        context
            .RequestServices.GetRequiredService<EventStreams>()
            .ServeAsync(
                context,
                new StreamRequest([TopicName.Parse("a")])
                {
                    Format = format,
                    OnOpen = (opening, _) =>
                    {
                        opening.WriteWithPosition(greet);
                        return ValueTask.CompletedTask;
                    },
                }
            );

    internal sealed class Effects
    {
        public int Count { get; set; }
    }

    /// <summary>Authenticates nobody. The caller is determined before.</summary>
    private sealed class NoScheme(
        IOptionsMonitor<AuthenticationSchemeOptions> options,
        ILoggerFactory loggers,
        System.Text.Encodings.Web.UrlEncoder encoder
    ) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(AuthenticateResult.NoResult());
    }
}
