using System.Net;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>
/// What the Mercure protocol 1.0 requires of a hub: one test for each rule. <c>docs/spec/mercure.md</c> lists them by section. Subclasses
/// choose the store and the number of nodes.
/// </summary>
public abstract partial class HubSuite
{
    protected abstract Task<HubNodes> StartAsync(Action<MercureOptions>? configure = null);

    private static async Task<string> TextAsync(HttpResponseMessage answer) => await answer.Content.ReadAsStringAsync();

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) || answer.Content.Headers.TryGetValues(name, out values)
            ? string.Join(", ", values)
            : null;

    private static string Encode(string text) => Uri.EscapeDataString(text);

    private static async Task IsAsync(HttpStatusCode status, HttpResponseMessage answer) =>
        Assert.True(answer.StatusCode == status, $"{(int)answer.StatusCode} instead of {(int)status}: {await TextAsync(answer)}");

    // Publication

    [Fact]
    public async Task Publishing_answers_200_with_the_id_as_plain_text()
    {
        await using var hub = await StartAsync();
        using var answer = await hub.PublishAsync(Tokens.Publisher(hub.Time), ("topic", "a"), ("data", "x"));
        await IsAsync(HttpStatusCode.OK, answer);
        Assert.Equal("text/plain; charset=utf-8", Header(answer, "Content-Type"));
        Assert.Matches("^#[0-9a-f]{8}-[0-9]+$", await TextAsync(answer));
        Assert.Equal("urn:x:1", await hub.PublishAsync(("topic", "a"), ("id", "urn:x:1")));
    }

    [Fact]
    public async Task A_generated_id_is_an_iri_if_the_hub_hides_positions()
    {
        await using var hub = await StartAsync(options => options.RandomIds = true);
        Assert.Matches("^urn:uuid:[0-9a-f-]{36}$", await hub.PublishAsync(("topic", "a")));
    }

    [Theory]
    [InlineData("data=x")]
    [InlineData("topic=")]
    [InlineData("topic=*")]
    [InlineData("topic=a&topic=*")]
    [InlineData("topic=a%0Ab")]
    [InlineData("topic=a%7F")]
    [InlineData("topic=a%C2%85")]
    [InlineData("topic=a%E2%80%8Bb")]
    [InlineData("topic=a%FF")]
    [InlineData("topic=a&data=%FF")]
    [InlineData("topic=a&id=%23x")]
    [InlineData("topic=a&id=earliest")]
    [InlineData("topic=a&id=x%0Ay")]
    [InlineData("topic=a&id=x%E2%80%AE")]
    [InlineData("topic=a&type=mercure")]
    [InlineData("topic=a&type=x%0Ddata")]
    [InlineData("topic=a&retry=1s")]
    [InlineData("topic=a&retry=-1")]
    [InlineData("topic=/.well-known/mercure")]
    [InlineData("topic=/.well-known/mercure/subscriptions/exact/a/b")]
    [InlineData("topic=a&topic=https://other.example/.well-known/mercure/subscriptions/exact/a/b")]
    [InlineData("topic=/.well-known/%256Dercure/x")]
    [InlineData("topic=/x/../.well-known/mercure/x")]
    [InlineData("topic=subscriptions/../mercure/x")]
    public async Task A_faulty_publication_is_refused_with_400(string form)
    {
        await using var hub = await StartAsync();
        using var answer = await hub.SendAsync(
            hub.First,
            new HttpRequestMessage(HttpMethod.Post, HubNodes.Path)
            {
                Content = new StringContent(form, new System.Net.Http.Headers.MediaTypeHeaderValue("application/x-www-form-urlencoded")),
            },
            Tokens.Publisher(hub.Time)
        );
        await IsAsync(HttpStatusCode.BadRequest, answer);
        Assert.Null(Header(answer, "WWW-Authenticate"));
    }

    [Fact]
    public async Task A_reserved_topic_is_refused_with_400_before_rights_are_checked()
    {
        await using var hub = await StartAsync();
        using var answer = await hub.PublishAsync(Tokens.Publisher(hub.Time, "b"), ("topic", "/.well-known/mercure/x"));
        await IsAsync(HttpStatusCode.BadRequest, answer);
    }

    [Fact]
    public async Task A_publication_over_a_limit_is_refused_with_413()
    {
        await using var hub = await StartAsync(options => options.MaxUpdateBytes = 4096);
        foreach (
            var fields in ((string, string)[][])
                [
                    [("topic", "a"), ("data", new string('x', 5000))],
                    [("topic", new string('x', 2049))],
                    [("topic", "a"), ("type", new string('x', 2049))],
                    [.. Enumerable.Range(0, 101).Select(i => ("topic", $"t{i}"))],
                ]
        )
        {
            using var answer = await hub.PublishAsync(Tokens.Publisher(hub.Time), fields);
            await IsAsync(HttpStatusCode.RequestEntityTooLarge, answer);
        }
    }

    [Fact]
    public async Task A_publication_that_is_no_form_is_refused_with_415()
    {
        await using var hub = await StartAsync();
        using var answer = await hub.SendAsync(
            hub.First,
            new HttpRequestMessage(HttpMethod.Post, HubNodes.Path) { Content = new StringContent("{}") },
            Tokens.Publisher(hub.Time)
        );
        await IsAsync(HttpStatusCode.UnsupportedMediaType, answer);
    }

    [Fact]
    public async Task Fields_that_the_hub_does_not_know_are_ignored()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=a");
        await hub.PublishAsync(("topic", "a"), ("later", "1"), ("data", "x"));
        Assert.Equal("x", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task A_publisher_needs_grants_for_all_topics_of_an_update()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=*");
        using var answer = await hub.PublishAsync(Tokens.Publisher(hub.Time, "a"), ("topic", "a"), ("topic", "b"));
        await IsAsync(HttpStatusCode.Forbidden, answer);
        Assert.Contains("error=\"insufficient_scope\"", Header(answer, "WWW-Authenticate"), StringComparison.Ordinal);
        await hub.PublishAsync(("topic", "c"), ("data", "marker"));
        Assert.Equal("marker", (await reader.NextAsync()).Data);
    }

    // Wire format

    [Fact]
    public async Task An_update_has_all_fields_of_server_sent_events()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=a");
        await hub.PublishAsync(("topic", "a"), ("data", "x"), ("id", "urn:1"), ("type", "größe, mit Leerzeichen"), ("retry", "1500"));
        var update = await reader.NextAsync();
        Assert.Equal(
            ("x", "urn:1", "größe, mit Leerzeichen", TimeSpan.FromMilliseconds(1500)),
            (update.Data, update.EventId, update.EventType, update.ReconnectionInterval)
        );
        Assert.Equal("text/event-stream", reader.Response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Data_is_sent_line_by_line_and_cannot_inject_fields()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=a");
        await hub.PublishAsync(("topic", "a"), ("data", "one\nid: forged\r\nevent: forged\rlast"));
        var update = await reader.NextAsync();
        Assert.Equal("one\nid: forged\nevent: forged\nlast", update.Data);
        Assert.Equal("message", update.EventType);
    }

    [Fact]
    public async Task An_update_without_data_has_an_empty_data_field()
    {
        await using var hub = await StartAsync();
        await using var reader = await hub.OpenAsync("match=a");
        var id = await hub.PublishAsync(("topic", "a"));
        var update = await reader.NextAsync();
        Assert.Equal(("", id), (update.Data, update.EventId));
    }

    [Fact]
    public async Task A_stream_has_no_control_frames_at_its_begin_and_end()
    {
        await using var hub = await StartAsync();
        var answer = await hub.GetAsync(HubNodes.Path + "?match=a", Tokens.Expiring(hub.Time, TimeSpan.FromSeconds(10)));
        await using var body = await answer.Content.ReadAsStreamAsync();
        await hub.PublishAsync(("topic", "a"), ("data", "x"), ("id", "urn:1"));
        using var text = new StreamReader(body);
        var lines = new List<string?>();
        while (!lines.Contains("data: x"))
            lines.Add(await text.ReadLineAsync());
        hub.Time.Advance(TimeSpan.FromSeconds(10));
        lines.AddRange((await text.ReadToEndAsync()).Split('\n'));
        Assert.Equal([":", "id: urn:1", "data: x"], lines.Where(line => line!.Length > 0).Distinct());
        Assert.Null(Header(answer, "Dunlin-Connection"));
    }
}
