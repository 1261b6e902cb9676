using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>The blocks of docs/start/any-language.md, run as they stand against the real program.</summary>
[Trait("Store", "own")]
public sealed class AnyLanguagePageTests
{
    private static readonly string Page = Repository.Read("docs/start/any-language.md");

    [Fact]
    public async Task Curl_publishes_once_and_reads_and_resumes()
    {
        var shell = Repository.Blocks(Page, "sh");
        Assert.Equal(6, shell.Count);
        Assert.Contains("./start.sh --server", shell[0], StringComparison.Ordinal);
        await using var server = new ServerProgram();
        await StartAsync(server, shell[1]);

        await using var reading = server.StartOther("bash", "-c", shell[3]);
        var hello = await reading.WhenSeenAsync(new Regex("id: ([0-9a-f]{8}-[0-9]+)\nevent: dunlin.hello"));
        var first = await server.RunOtherAsync("bash", "-ec", shell[2]);
        Assert.Matches("\"positions\":\\[\"[0-9a-f]{8}-[0-9]+\"\\]", first.Output);
        Assert.Equal(first.Output, (await server.RunOtherAsync("bash", "-ec", shell[2])).Output);
        await reading.WhenSeenAsync("""data: {"total": 49.5}""");

        server.Settings["LAST"] = hello.Groups[1].Value;
        await using var resumed = server.StartOther("bash", "-c", shell[4]);
        await resumed.WhenSeenAsync("""data: {"total": 49.5}""");
        var page = await server.RunOtherAsync("bash", "-ec", shell[5]);
        Assert.Contains("\"type\":\"order.paid\"", page.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("python", "python3", "reader.py")]
    [InlineData("js", "node", "reader.mjs")]
    public async Task Reader_handles_each_event_once_over_kill_9_of_both_sides(string language, string program, string file)
    {
        await using var server = new ServerProgram();
        await StartAsync(server, Repository.Blocks(Page, "sh")[1]);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, file), Assert.Single(Repository.Blocks(Page, language)));
        await using var reader = server.StartOther(program, file);
        await WhenFileAsync(Path.Combine(server.Folder, "position.txt"));
        await PublishAsync(server, 1);
        await reader.WhenSeenAsync(Line(1));

        // The server dies: the running reader comes back by itself.
        await server.KillAsync();
        await server.StartAsync();
        await PublishAsync(server, 2);
        await reader.WhenSeenAsync(Line(2));

        // The reader dies. The next reader continues after the last event.
        await reader.KillAsync();
        await PublishAsync(server, 3);
        await using var next = server.StartOther(program, file);
        await next.WhenSeenAsync(Line(3));
        Assert.Single(Line(1).Matches(reader.Output));
        Assert.Single(Line(2).Matches(reader.Output));
        Assert.DoesNotMatch(Line(1), next.Output);
        Assert.DoesNotMatch(Line(2), next.Output);
        Assert.DoesNotContain("Events were lost", reader.Output + next.Output, StringComparison.Ordinal);
    }

    // A dictionary of Python and an object of Node, each as its program prints it.
    private static Regex Line(int number) => new($"orders/17 order\\.paid \\{{ ?'?number'?: {number} ?\\}}");

    private static Task PublishAsync(ServerProgram server, int number) =>
        Calls.PublishAsync(server.Address, server.Settings["BACKEND"], "orders/17", new { number }, "order.paid");

    /// <summary>Starts the server, and creates the tokens of the page by its own commands.</summary>
    private static async Task StartAsync(ServerProgram server, string tokens)
    {
        await server.StartAsync();
        server.Settings["DUNLIN"] = server.Address.ToString().TrimEnd('/');
        var body = tokens.Replace("./start.sh --server", $"{ServerProgram.Command} --data '{server.Data}'", StringComparison.Ordinal);
        var (code, output, error) = await server.RunOtherAsync("bash", "-ec", body + "echo \"$BACKEND $WORKER\"");
        Assert.True(code == 0, error);
        var made = output.Trim().Split(' ');
        (server.Settings["BACKEND"], server.Settings["WORKER"]) = (made[0], made[1]);
    }

    private static async Task WhenFileAsync(string path)
    {
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!, Path.GetFileName(path));
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Created += (_, _) => seen.TrySetResult();
        watcher.Renamed += (_, _) => seen.TrySetResult();
        watcher.EnableRaisingEvents = true;
        if (!File.Exists(path))
            await seen.Task.WaitAsync(TimeSpan.FromSeconds(90));
    }
}
