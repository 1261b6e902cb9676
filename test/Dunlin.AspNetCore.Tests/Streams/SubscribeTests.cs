using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.AspNetCore.Tests.Streams;

/// <summary>Streams that are requested with a form, with an id of another server, or with HEAD.</summary>
public sealed class SubscribeTests
{
    private const string Subscribe = "/dunlin/v1/events/subscribe";

    [Fact]
    public async Task Sixty_four_topics_of_200_characters_fit_into_a_form()
    {
        await using var host = await EngineHost.StartAsync();
        string[] topics = [.. Enumerable.Range(0, 64).Select(i => $"{i:00}/" + string.Concat(Enumerable.Repeat("a/", 98)) + "b")];
        Assert.All(topics, topic => Assert.Equal(200, topic.Length));
        await using var stream = await host.SubscribeAsync([.. topics.Select(topic => ("topic", topic))]);
        await stream.UntilAsync("dunlin.hello");
        var position = await host.PublishAsync(topics[63], new { n = 1 });
        Assert.Equal(position, (await stream.UntilAsync("e")).EventId);
    }

    [Fact]
    public async Task Form_parameters_equal_query_parameters()
    {
        await using var host = await EngineHost.StartAsync();
        var first = await host.PublishAsync("a", 1);
        await using var stream = await host.SubscribeAsync(
            [("topic", "a"), ("presence", "true"), ("lastEventId", first)],
            query: "?topic=b"
        );
        using var ann = host.Client();
        var present = await ann.GetFromJsonAsync<JsonElement>("/dunlin/v1/presence?topic=b");
        Assert.Single(present.GetProperty("present").EnumerateArray());
        var second = await host.PublishAsync("b", 2);
        Assert.Equal(second, (await stream.UntilAsync("e")).EventId);

        foreach (var (field, value) in new[] { ("echo", "maybe"), ("conflate", ""), ("topic", "a b") })
        {
            using var refused = await ann.PostAsync(Subscribe, Form([("topic", "a"), (field, value)]));
            await HttpAssert.ProblemAsync(refused, 400, field == "topic" ? "invalid_topic" : "invalid_field");
        }
    }

    [Fact]
    public async Task A_form_is_refused_like_the_query_and_unread_without_a_sign_in()
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("secret");
        using var ann = host.Client();
        using var nobody = host.Client(user: null);
        await ProblemAsync(nobody, new StringContent("{", Encoding.UTF8, "application/json"), 401, "not_signed_in");
        await ProblemAsync(ann, Form([("topic", "secret")]), 403, "forbidden");
        await ProblemAsync(ann, Form([]), 400, "invalid_field");
        await ProblemAsync(ann, Form([.. Enumerable.Range(0, 65).Select(i => ("topic", $"t{i}"))]), 400, "too_many_topics");
        await ProblemAsync(ann, Form([("topic", new string('a', 60_000))]), 413, "too_large");
        await ProblemAsync(ann, Form([.. Enumerable.Range(0, 2_000).Select(i => ("x", ""))]), 400, "invalid_field");
        await ProblemAsync(ann, new StringContent("{}", Encoding.UTF8, "application/json"), 415, "unsupported_media_type");
        var compressed = Form([("topic", "a")]);
        compressed.Headers.ContentEncoding.Add("gzip");
        await ProblemAsync(ann, compressed, 415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("urn:uuid:2f1b9e9a-4a0b-4d4e-9d5e-0f5b3f6a7c11")]
    [InlineData("42")]
    [InlineData("ffffffff-")]
    [InlineData("00000000-99999999999999999999")]
    [InlineData("-1")]
    [InlineData("a, b")]
    [InlineData("null")]
    [InlineData("🦆")]
    public async Task An_unknown_id_gets_a_stream_that_starts_with_a_reset(string id)
    {
        await using var host = await EngineHost.StartAsync();
        await host.PublishAsync("a", 1);
        foreach (
            var open in new[]
            {
                host.OpenAsync("/dunlin/v1/events?topic=a", lastEventId: id == "🦆" ? "%F0%9F" : id),
                host.OpenAsync($"/dunlin/v1/events?topic=a&lastEventId={Uri.EscapeDataString(id)}"),
                host.SubscribeAsync([("topic", "a"), ("lastEventId", id)]),
            }
        )
        {
            await using var stream = await open;
            var reset = await stream.UntilAsync("dunlin.reset");
            var data = JsonDocument.Parse(reset.Data).RootElement;
            Assert.Equal("unknown", data.GetProperty("reason").GetString());
            Assert.Equal(data.GetProperty("position").GetString(), reset.EventId);
            Assert.Equal(reset.EventId, (await stream.UntilAsync("dunlin.hello")).EventId);
            Assert.True(Position.TryParse(reset.EventId, out var position));
            Assert.Equal(host.Journal.Head, position);
        }
    }

    [Fact]
    public async Task Repeated_and_too_long_ids_get_a_reset()
    {
        await using var host = await EngineHost.StartAsync();
        var position = await host.PublishAsync("a", 1);
        await using var repeated = await host.OpenAsync($"/dunlin/v1/events?topic=a&lastEventId={position}&lastEventId={position}");
        Assert.Contains("unknown", (await repeated.UntilAsync("dunlin.reset")).Data, StringComparison.Ordinal);
        await using var longest = await host.OpenAsync("/dunlin/v1/events?topic=a", lastEventId: new string('1', 16_000));
        Assert.Contains("unknown", (await longest.UntilAsync("dunlin.reset")).Data, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/ready")]
    [InlineData("/dunlin/v1/journal?topic=a")]
    [InlineData("/dunlin/v1/presence?topic=a")]
    [InlineData("/dunlin/v1/leases")]
    [InlineData("/dunlin/v1/stats")]
    [InlineData("/dunlin/v1/events?topic=a")]
    public async Task HEAD_is_answered_as_GET_without_a_body(string path)
    {
        await using var host = await EngineHost.StartAsync();
        using var ann = host.Client();
        using var head = await ann.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        using var get = await ann.SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Equal(get.Headers.CacheControl, head.Headers.CacheControl);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task HEAD_opens_no_stream_and_is_refused_as_GET()
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("secret");
        using var ann = host.Client();
        using var head = await ann.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/dunlin/v1/events?topic=a&presence=true"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(0, host.Fanout.ConnectionCount);
        using var refused = await ann.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/dunlin/v1/events?topic=secret"));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var subscribe = await ann.SendAsync(new HttpRequestMessage(HttpMethod.Head, Subscribe));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, subscribe.StatusCode);
    }

    private static FormUrlEncodedContent Form((string Name, string Value)[] fields) =>
        new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));

    private static async Task ProblemAsync(HttpClient client, HttpContent content, int status, string code)
    {
        using var response = await client.PostAsync(Subscribe, content);
        await HttpAssert.ProblemAsync(response, status, code);
    }
}
