using System.Text;
using Dunlin.DurableStreams.Tests.Support;

namespace Dunlin.DurableStreams.Tests.Writing;

/// <summary>Wrong input gets a clear error, and changes nothing.</summary>
public sealed class RefusalTests
{
    private const string Notes = "/streams/alice/notes";

    [Theory]
    [InlineData("Producer-Id", "p")]
    [InlineData("Producer-Id,Producer-Epoch,Producer-Seq", "p,-1,0")]
    [InlineData("Producer-Id,Producer-Epoch,Producer-Seq", "p,0,1.5")]
    [InlineData("Producer-Id,Producer-Epoch,Producer-Seq", "p,0,9007199254740992")]
    [InlineData("Producer-Id,Producer-Epoch,Producer-Seq", ",0,0")]
    public async Task Invalid_producers_get_400_with_the_field(string names, string values)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes)).Is(201);
        var headers = names.Split(',').Zip(values.Split(',')).Select(pair => (pair.First, pair.Second)).ToArray();
        var answer = (await host.SendAsync("POST", Notes, "x", type: "application/octet-stream", headers: headers)).Is(400);
        Assert.Contains("\"field\":\"", answer.Text, StringComparison.Ordinal);
        Assert.Equal("", (await host.SendAsync("GET", Notes)).Text);
    }

    [Theory]
    [InlineData("?offset=5")]
    [InlineData("?offset=")]
    [InlineData("?offset=-1&offset=-1")]
    [InlineData("?offset=0000000000000000_000000000000000x")]
    [InlineData("?live=sse")]
    [InlineData("?offset=-1&live=forever")]
    public async Task Invalid_reads_get_400(string query)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes)).Is(201);
        (await host.SendAsync("GET", Notes + query)).Is(400);
    }

    [Fact]
    public async Task An_offset_of_another_journal_gets_410()
    {
        await using var host = await StreamHost.StartAsync();
        var next = (await host.SendAsync("PUT", Notes, "a")).Next;
        var epoch = long.Parse(next[..16], null) == 7 ? 8 : 7;
        (await host.SendAsync("GET", $"{Notes}?offset={epoch:D16}{next[16..]}")).Is(410);
    }

    [Fact]
    public async Task An_offset_beyond_the_tail_continues_at_the_tail()
    {
        await using var host = await StreamHost.StartAsync();
        var tail = (await host.SendAsync("PUT", Notes, "a")).Next;
        var answer = (await host.SendAsync("GET", $"{Notes}?offset={tail[..17]}{9999:D16}")).Is(200);
        Assert.Equal(tail, answer.Next);
    }

    [Theory]
    [InlineData("/streams/")]
    [InlineData("/streams/alice//x")]
    [InlineData("/streams/alice/")]
    public async Task Invalid_names_get_400(string path)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", path)).Is(400);
    }

    [Fact]
    public async Task Names_and_types_that_headers_cannot_carry_do_no_harm()
    {
        await using var host = await StreamHost.StartAsync();
        var created = (await host.SendAsync("PUT", "/streams/alice/%C3%A4%20b", "x")).Is(201);
        Assert.EndsWith("/streams/alice/%C3%A4%20b", created["Location"], StringComparison.Ordinal);
        Assert.Equal("x", (await host.SendAsync("GET", "/streams/alice/%C3%A4%20b")).Text);
        (await host.SendAsync("PUT", $"{Notes}2", type: $"text/plain; a={new string('x', 300)}")).Is(400);
    }

    [Fact]
    public async Task Addresses_of_the_protocol_are_no_streams()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", "/streams/__ds/other")).Is(404);
        (await host.SendAsync("POST", "/dunlin/v1/events", Event("streams/alice/notes"), type: "application/json")).Is(400);
    }

    [Fact]
    public async Task Appends_beyond_a_limit_get_413_and_append_nothing()
    {
        await using var host = await StreamHost.StartAsync(options => (options.MaxAppendBytes, options.MaxMessages) = (100, 3));
        (await host.SendAsync("PUT", Notes, type: "application/json")).Is(201);
        (await host.SendAsync("POST", Notes, new byte[101], type: "application/json")).Is(413);
        (await host.SendAsync("POST", Notes, "[1,2,3,4]", type: "application/json")).Is(413);
        (await host.SendAsync("POST", Notes, "[1,2,3]", type: "application/json")).Is(204);
        Assert.Equal("[1,2,3]", (await host.SendAsync("GET", Notes)).Text);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("1 2")]
    [InlineData("[1,]")]
    [InlineData("[\"\\ud83d\"]")]
    [InlineData("[]")]
    public async Task Invalid_json_gets_400_and_appends_nothing(string body)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, type: "application/json")).Is(201);
        (await host.SendAsync("POST", Notes, body, type: "application/json")).Is(400);
        Assert.Equal("[]", (await host.SendAsync("GET", Notes)).Text);
    }

    [Fact]
    public async Task Conflicts_name_their_reason()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, type: "text/plain")).Is(201);
        (await host.SendAsync("PUT", Notes, type: "text/html")).Is(409);
        (await host.SendAsync("POST", Notes, "x", type: "text/html")).Is(409);
        (await host.SendAsync("POST", Notes, "x", type: "")).Is(400);
        var closed = (await host.SendAsync("POST", Notes, "end", headers: ("Stream-Closed", "true"))).Is(204);
        var refused = (await host.SendAsync("POST", Notes, "x")).Is(409);
        Assert.Equal("true", refused["Stream-Closed"]);
        Assert.Equal(closed.Next, refused.Next);
        Assert.Contains("closed", refused.Text, StringComparison.Ordinal);
        (await host.SendAsync("DELETE", Notes)).Is(204);
        (await host.SendAsync("DELETE", Notes)).Is(404);
    }

    [Fact]
    public async Task A_large_append_comes_back_as_it_was()
    {
        await using var host = await StreamHost.StartAsync();
        var data = new byte[3_000_000];
        new Random(1).NextBytes(data);
        (await host.SendAsync("PUT", Notes)).Is(201);
        (await host.SendAsync("POST", Notes, data, type: "application/octet-stream")).Is(204);
        Assert.Equal(data, (await host.SendAsync("GET", Notes)).Bytes);
    }

    private static string Event(string topic) =>
        $$"""{"topic":"{{topic}}","type":"stream.append","data":{{Encoding.UTF8.GetString("1"u8)}}}""";
}
