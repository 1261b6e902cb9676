using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.DurableStreams.Tests.Reading;

/// <summary>Event streams and long-polls: beginnings, ends and large messages.</summary>
public sealed class LiveTests
{
    private const string Notes = "/streams/alice/notes";

    [Fact]
    public async Task An_event_stream_sends_stored_and_new_data_once()
    {
        await using var host = await StreamHost.StartAsync(options => options.PageBytes = 1024);
        (await host.SendAsync("PUT", Notes, type: "application/json")).Is(201);
        for (var i = 0; i < 40; i++)
            (await host.SendAsync("POST", Notes, $"\"{i} {new string('x', 100)}\"", type: "application/json")).Is(204);
        await using var reader = await OpenAsync(host, "?offset=-1&live=sse");
        await reader.UntilAsync(item => item.EventType == "control" && item.Data.Contains("upToDate", StringComparison.Ordinal));
        (await host.SendAsync("POST", Notes, "[\"last\"]", type: "application/json", headers: ("Stream-Closed", "true"))).Is(204);
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        var texts = reader
            .Received.Where(item => item.EventType == "data")
            .SelectMany(item => JsonSerializer.Deserialize<string[]>(item.Data)!)
            .Select(text => text.Split(' ')[0]);
        Assert.Equal([.. Enumerable.Range(0, 40).Select(i => $"{i}"), "last"], texts);
        Assert.Contains("\"streamClosed\":true", reader.Received[^1].Data, StringComparison.Ordinal);
    }

    // PROTOCOL.md, "Server-Generated Cursors": never backwards, and greater than the cursor of the client.
    [Theory]
    [InlineData(null)]
    [InlineData(-5L)]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(150L)]
    [InlineData(1L << 40)]
    public async Task Cursors_of_an_event_stream_rise_above_that_of_the_client(long? ahead)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "one", type: "text/plain")).Is(201);
        var current =
            (host.Time.GetUtcNow() - new DateTimeOffset(2024, 10, 9, 0, 0, 0, TimeSpan.Zero)).Ticks / TimeSpan.TicksPerSecond / 20;
        var given = ahead is null ? "" : $"&cursor={current + ahead}";
        await using var reader = await OpenAsync(host, $"?offset=-1&live=sse{given}");
        await reader.UntilAsync(static item => item.EventType == "control");
        (await host.SendAsync("POST", Notes, "two")).Is(204);
        await reader.UntilAsync(static item => item.EventType == "control");
        host.Time.Advance(TimeSpan.FromSeconds(21));
        (await host.SendAsync("POST", Notes, "three")).Is(204);
        await reader.UntilAsync(static item => item.EventType == "control");
        var cursors = reader
            .Received.Where(static item => item.EventType == "control")
            .Select(static item => long.Parse(JsonElement.Parse(item.Data).GetProperty("streamCursor").GetString()!, null))
            .ToList();
        Assert.Equal(3, cursors.Count);
        Assert.Equal(cursors.Order(), cursors);
        Assert.All(cursors, cursor => Assert.True(cursor >= current && (ahead is null || cursor > current + ahead), $"{cursor}"));
        Assert.Equal(cursors[0] + 1, cursors[2]);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("application/octet-stream")]
    public async Task A_large_message_is_one_event(string type)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, type: type)).Is(201);
        await using var reader = await OpenAsync(host, "?offset=now&live=sse");
        await reader.NextAsync();
        var text = $"\"{string.Concat(Enumerable.Range(0, 40_000).Select(i => i % 9 == 0 ? "\u00e4 " : $" {i}"))}\"";
        (await host.SendAsync("POST", Notes, text, type: type)).Is(204);
        var data = (await reader.NextAsync()).Data;
        var expected = type switch
        {
            "application/json" => $"[\n{text}\n]",
            "text/plain" => text,
            _ => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)),
        };
        Assert.Equal(expected, data);
        Assert.Equal("control", (await reader.NextAsync()).EventType);
    }

    [Fact]
    public async Task Lines_and_leading_spaces_of_text_arrive()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "  stored\n  text", type: "text/plain")).Is(201);
        await using var reader = await OpenAsync(host, "?offset=-1&live=sse");
        Assert.Equal("  stored\n  text", (await reader.NextAsync()).Data);
        await reader.NextAsync();
        (await host.SendAsync("POST", Notes, " live\n\n text\n", type: "text/plain")).Is(204);
        Assert.Equal(" live\n\n text\n", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task A_deleted_stream_ends_its_readers()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "a")).Is(201);
        await using var reader = await OpenAsync(host, "?offset=now&live=sse");
        var poll = host.SendAsync("GET", Notes + "?offset=now&live=long-poll");
        await reader.NextAsync();
        (await host.SendAsync("DELETE", Notes)).Is(204);
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        (await poll).Is(204); // ends the wait; the next request gets the error
        (await host.SendAsync("GET", Notes + "?offset=now&live=long-poll")).Is(404);
    }

    [Fact]
    public async Task A_long_poll_returns_new_data_and_waits_for_nothing_else()
    {
        await using var host = await StreamHost.StartAsync();
        var tail = (await host.SendAsync("PUT", Notes, "a")).Next;
        (await host.SendAsync("PUT", "/streams/alice/other", "x")).Is(201);
        var poll = host.SendAsync("GET", $"{Notes}?offset={tail}&live=long-poll");
        (await host.SendAsync("POST", "/streams/alice/other", "y")).Is(204);
        (await host.SendAsync("POST", Notes, "b")).Is(204);
        var answer = (await poll).Is(200);
        Assert.Equal("b", answer.Text);
        Assert.NotNull(answer["Stream-Cursor"]);
    }

    [Fact]
    public async Task A_long_poll_without_news_ends_after_its_time()
    {
        await using var host = await StreamHost.StartAsync();
        var tail = (await host.SendAsync("PUT", Notes, "a")).Next;
        var poll = host.SendAsync("GET", $"{Notes}?offset={tail}&live=long-poll&cursor=7");
        await Poll.UntilAsync(() => host.Host.Get<Dunlin.Fanout.EventFanout>().ConnectionCount == 1, "the request waits");
        host.Time.Advance(TimeSpan.FromSeconds(21));
        var answer = (await poll).Is(204);
        Assert.Equal(tail, answer.Next);
        Assert.True(long.Parse(answer["Stream-Cursor"]!, null) > 7);
    }

    [Fact]
    public async Task A_long_poll_of_a_closed_stream_is_answered_at_once()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "a", headers: ("Stream-Closed", "true"))).Is(201);
        var answer = (await host.SendAsync("GET", Notes + "?offset=now&live=long-poll")).Is(204);
        Assert.Equal("true", answer["Stream-Closed"]);
    }

    [Fact]
    public async Task An_event_stream_ends_after_its_duration_and_resumes()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "a")).Is(201);
        await using var reader = await OpenAsync(host, "?offset=-1&live=sse");
        var control = await reader.UntilAsync(item => item.EventType == "control");
        host.Time.Advance(TimeSpan.FromSeconds(61));
        await reader.Ended.WaitAsync(TimeSpan.FromSeconds(30));
        (await host.SendAsync("POST", Notes, "b")).Is(204);
        using var json = JsonDocument.Parse(control.Data);
        var offset = json.RootElement.GetProperty("streamNextOffset").GetString();
        await using var again = await OpenAsync(host, $"?offset={offset}&live=sse");
        Assert.Equal("b", (await again.NextAsync()).Data);
    }

    [Fact]
    public async Task A_reader_that_stops_reading_receives_everything_once()
    {
        const int Appends = 60;
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, type: "application/json")).Is(201);
        using var client = host.Host.Client("alice");
        using var request = new HttpRequestMessage(HttpMethod.Get, Notes + "?offset=-1&live=sse");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        // More than the buffers of both sockets and the queue of the connection hold.
        for (var i = 0; i < Appends; i++)
            (await host.SendAsync("POST", Notes, $"\"{i} {new string('x', 200_000)}\"", type: "application/json")).Is(204);
        (await host.SendAsync("POST", Notes, headers: ("Stream-Closed", "true"))).Is(204);
        var texts = new List<string>();
        await foreach (var item in SseParser.Create(body).EnumerateAsync())
        {
            if (item.EventType == "data")
                texts.AddRange(JsonSerializer.Deserialize<string[]>(item.Data)!.Select(static text => text.Split(' ')[0]));
        }
        Assert.Equal(Enumerable.Range(0, Appends).Select(static i => $"{i}"), texts);
    }

    private static Task<EventStreamReader<SseItem<string>>> OpenAsync(StreamHost host, string query) =>
        host.Host.Client("alice").OpenStreamAsync(Notes + query, static item => item);
}
