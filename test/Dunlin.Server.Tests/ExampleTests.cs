using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary>Runs the blocks of docs/start/as-a-server.md unchanged against the real program.</summary>
[Trait("Store", "own")]
public sealed class ExampleTests
{
    private static readonly string Page = Repository.Read("docs/start/as-a-server.md");

    [Fact]
    public async Task Blocks_of_the_page_run_unchanged()
    {
        var shell = Blocks("sh");
        Assert.Equal(5, shell.Count);
        await using var server = new ServerProgram();
        await server.StartAsync();
        server.Settings["DUNLIN"] = server.Address.ToString().TrimEnd('/');
        server.Settings["DUNLIN_KEY"] = await File.ReadAllTextAsync(Path.Combine(server.Data, "signing.key"));
        // Replaces the first block, because the server is already running: `dunlin` is the same program.
        Assert.Contains("./start.sh --server", shell[0], StringComparison.Ordinal);
        var prelude = $"set -euo pipefail\ndunlin() {{ {ServerProgram.Command} --data '{server.Data}' \"$@\"; }}\n{shell[1]}\n";

        await using var listening = server.StartOther("bash", "-c", prelude + shell[2]);
        await listening.WhenSeenAsync("event: dunlin.hello");
        var published = await server.RunOtherAsync("bash", "-c", prelude + shell[3]);
        Assert.True(published.Code == 0, published.Error);
        Assert.Equal(3, Regex.Count(published.Output, "\"[0-9a-f]{8}-[0-9]+\"|null"));
        await listening.WhenSeenAsync("""data: {"text": "hello from curl"}""");
        await listening.WhenSeenAsync("event: bot.typing");

        var token = await PythonAsync(server);
        await listening.WhenSeenAsync("""data: {"text": "hello from Python"}""");
        Assert.Equal(200, (await Calls.TryOpenAsync(server.Address, token, "topic=teams/7/chat")).Status);
        await NodeAsync(server);
        await listening.WhenSeenAsync("""data: {"text":"hello from Node"}""");

        var revoked = await server.RunOtherAsync("bash", "-c", prelude + shell[4]);
        Assert.True(revoked.Code == 0, revoked.Error);
        Assert.Contains("\"topics\":[\"teams/7/chat\"]", revoked.Output, StringComparison.Ordinal);
        Assert.Contains("\"totalConnections\":1", revoked.Output, StringComparison.Ordinal);
        await listening.WhenSeenAsync("event: dunlin.goodbye");
        Assert.Equal(0, await listening.WhenExitedAsync());
        Assert.DoesNotContain("invoice.paid", listening.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Python_back_end_retries_without_a_server_and_publishes_once()
    {
        await using var server = new ServerProgram();
        await server.StartAsync();
        server.Settings["DUNLIN"] = server.Address.ToString().TrimEnd('/');
        server.Settings["DUNLIN_KEY"] = await File.ReadAllTextAsync(Path.Combine(server.Data, "signing.key"));
        await server.KillAsync();
        // The server is down, so the script retries with the same key.
        var publishing = PythonAsync(server);
        await server.StartAsync();
        var token = await publishing;
        var (_, page) = await Calls.SendAsync(server.Address, token, HttpMethod.Get, "/dunlin/v1/journal?topic=teams/7/chat");
        Assert.Equal(
            "hello from Python",
            Assert.Single(page.GetProperty("events").EnumerateArray()).GetProperty("data").GetProperty("text").GetString()
        );
    }

    /// <returns>The token for alice that the script created.</returns>
    private static async Task<string> PythonAsync(ServerProgram server)
    {
        var file = Path.Combine(server.Folder, "publish.py");
        await File.WriteAllTextAsync(file, Assert.Single(Blocks("python")));
        var (code, output, error) = await server.RunOtherAsync("python3", file);
        Assert.True(code == 0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches(@"^\['[0-9a-f]{8}-[0-9]+'\]$", lines[0]);
        return lines[1];
    }

    private static async Task NodeAsync(ServerProgram server)
    {
        var file = Path.Combine(server.Folder, "publish.mjs");
        await File.WriteAllTextAsync(file, Assert.Single(Blocks("js")));
        var (code, output, error) = await server.RunOtherAsync("node", file);
        Assert.True(code == 0, error);
        Assert.Matches(@"^\[ '[0-9a-f]{8}-[0-9]+' \]\n$", output);
    }

    private static List<string> Blocks(string language) => Repository.Blocks(Page, language);
}
