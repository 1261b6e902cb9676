using System.Text.RegularExpressions;

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

    private static async Task<ServerProgram> StartAsync()
    {
        var server = new ServerProgram();
        await server.StartAsync();
        server.Settings["DUNLIN"] = server.Address.ToString().TrimEnd('/');
        return server;
    }

    private static string Prelude(ServerProgram server) =>
        $"dunlin() {{ dotnet '{ServerProgram.Program}' --data '{server.Data}' \"$@\"; }}\n";

    private static List<string> Blocks(string page) => Repository.Blocks(Repository.Read("docs/guides/" + page), "sh");
}
