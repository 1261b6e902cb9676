using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Dunlin.TestKit;

namespace Dunlin.Guides.Tests;

/// <summary>The shell blocks of the guides, run as they stand against the real server.</summary>
public sealed class ShellTests
{
    [Fact]
    public async Task Presence_over_HTTP_shows_who_has_a_stream()
    {
        var blocks = Blocks("presence.md");
        Assert.Equal(3, blocks.Count);
        await using var server = await StartAsync();
        await using var ann = server.StartOther("bash", "-c", Prelude(server) + blocks[0] + blocks[1]);
        await ann.WhenSeenAsync("event: dunlin.hello");
        var list = await server.RunOtherAsync("bash", "-ec", Prelude(server) + blocks[0] + blocks[2]);
        Assert.Equal((0, ""), (list.Code, list.Error));
        Assert.Matches(
            """^{"topic":"rooms/lobby","present":\[{"userId":"ann","name":"ann","since":"[^"]+","connections":1}]}$""",
            list.Output
        );

        await using var bob = server.StartOther("bash", "-c", Prelude(server) + blocks[0] + blocks[1].Replace("$ANN", "$BOB"));
        await ann.WhenSeenAsync("event: presence.joined\ntopic: rooms/lobby\ndata: {\"userId\":\"bob\",\"name\":\"bob\"}");
    }

    [Fact]
    public async Task A_lock_over_HTTP_goes_from_its_holder_to_the_one_who_waits()
    {
        var blocks = Blocks("lock-a-form.md");
        Assert.Equal(2, blocks.Count);
        await using var server = await StartAsync();
        var run = await server.RunOtherAsync("bash", "-euc", Prelude(server) + blocks[0] + blocks[1]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var states = Regex.Matches(run.Output, "\"owner\":{\"userId\":\"(\\w+)\"").Select(match => match.Groups[1].Value);
        Assert.Equal(["ann", "ann", "bob", "bob"], states);
        Assert.Contains("\"position\":1", run.Output, StringComparison.Ordinal);
        var free = await server.RunOtherAsync(
            "bash",
            "-euc",
            Prelude(server) + blocks[0] + """curl -s "$DUNLIN/dunlin/v1/leases?prefix=customers" -H "Authorization: Bearer $BOB" """
        );
        Assert.StartsWith("{\"leases\":[],", free.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_of_a_stream_arrive_one_by_one_with_their_times()
    {
        var blocks = Blocks("behind-a-proxy.md");
        Assert.Equal(3, blocks.Count);
        await using var server = await StartAsync();
        server.Settings["BACKEND"] = await TokenAsync(server, "backend", "--publish", "**");
        server.Settings["ALICE"] = await TokenAsync(server, "alice", "--subscribe", "teams/7/**");
        await using var stream = server.StartOther("bash", "-c", blocks[0]);
        await stream.WhenSeenAsync(new Regex("[0-9:]{8} event: dunlin.hello"));
        var published = await server.RunOtherAsync("bash", "-euc", blocks[1].Replace("sleep 2", ":", StringComparison.Ordinal));
        Assert.Equal((0, ""), (published.Code, published.Error));
        foreach (var data in new[] { 1, 2, 3 })
            await stream.WhenSeenAsync(new Regex($"[0-9:]{{8}} data: {data}\\b"));
    }

    [Fact]
    public async Task The_requests_of_Mercure_publish_and_subscribe()
    {
        const string secret = "a secret of the back end, 32 bytes";
        var page = Repository.Read("docs/guides/from-mercure.md");
        var blocks = Repository.Blocks(page, "sh");
        Assert.Equal(2, blocks.Count);
        await using var server = new ServerProgram();
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "mercure.key"), secret);
        var settings = Repository.Blocks(page, "json")[0].Replace("mercure.key", Path.Combine(server.Folder, "mercure.key"));
        var config = Path.Combine(server.Folder, "dunlin.json");
        await File.WriteAllTextAsync(config, settings);
        await server.StartAsync("--mercure", "--config", config);
        server.Settings["DUNLIN"] = server.Address.ToString().TrimEnd('/');
        server.Settings["PUBLISHER"] = MercureToken(secret, "publish", """{"match": "*"}""");
        server.Settings["SUBSCRIBER"] = MercureToken(
            secret,
            "subscribe",
            """{"match": "https://example.com/books/:id", "match_type": "urlpattern"}"""
        );
        await using var stream = server.StartOther("bash", "-c", blocks[1].Replace("-sNG", "-sNGi", StringComparison.Ordinal));
        await stream.WhenSeenAsync("text/event-stream");
        var published = await server.RunOtherAsync("bash", "-euc", blocks[0]);
        Assert.Matches("^#[0-9a-f]{8}-[0-9]+$", published.Output);
        await stream.WhenSeenAsync($"id: {published.Output}\ndata: {{\"status\": \"OutOfStock\"}}");
    }

    private static string MercureToken(string secret, string action, string topic)
    {
        var expiry = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        var claims = $$"""
            {"iss": "https://example.com", "aud": "https://example.com/.well-known/mercure", "exp": {{expiry}}, "authorization_details":
             [{"type": "https://mercure.rocks/authorization-detail", "actions": ["{{action}}"], "topics": [{{topic}}]}]}
            """;
        var text = $"{Encode("""{"alg":"HS256","typ":"at+jwt"}""")}.{Encode(claims)}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text));
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task The_request_that_replaces_a_trigger_of_Pusher_publishes_an_array()
    {
        await using var server = await StartAsync();
        server.Settings["BACKEND"] = await TokenAsync(server, "backend", "--publish", "**");
        var published = await server.RunOtherAsync("bash", "-euc", Assert.Single(Blocks("from-pusher-or-centrifugo.md")));
        Assert.Matches("^{\"positions\":\\[\"[0-9a-f]{8}-1\",\"[0-9a-f]{8}-2\"]}$", published.Output);
    }

    private static async Task<string> TokenAsync(ServerProgram server, string subject, params string[] rights)
    {
        var made = await server.RunCommandAsync(["--data", server.Data, "token", "--subject", subject, .. rights]);
        Assert.True(made.Code == 0, made.Error);
        return made.Output.Trim();
    }

    private static async Task<ServerProgram> StartAsync()
    {
        var server = new ServerProgram();
        await server.StartAsync();
        server.Settings["DUNLIN"] = server.Address.ToString().TrimEnd('/');
        return server;
    }

    private static string Prelude(ServerProgram server) => $"dunlin() {{ {ServerProgram.Command} --data '{server.Data}' \"$@\"; }}\n";

    private static List<string> Blocks(string page) => Repository.Blocks(Repository.Read("docs/guides/" + page), "sh");
}
