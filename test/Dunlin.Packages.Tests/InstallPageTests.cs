using System.Text.RegularExpressions;
using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Packages.Tests;

/// <summary>The blocks of docs/start/install.md, run as they stand in an empty folder. Only the ports are replaced, by free ones.</summary>
public sealed class InstallPageTests
{
    [Fact]
    public async Task A_new_application_shows_live_events_in_five_commands()
    {
        await using var workspace = new Workspace();
        var blocks = Blocks("A new .NET application", 2);
        await using var program = workspace.Start(blocks[0]);
        await program.WhenSeenAsync(new Regex("Now listening on"));
        await using var stream = workspace.Start(blocks[1]);
        await stream.WhenSeenAsync("event: dunlin.hello");
        var address = Regex.Match(blocks[1], "http://127.0.0.1:[0-9]+").Value;
        await workspace.RunAsync(
            $$"""curl -sf -b guest.txt {{address}}/api/rooms/lobby/messages -H 'Content-Type: application/json' -d '{"text": "hi"}'"""
        );
        await stream.WhenSeenAsync(new Regex("data: .*\"text\":\"hi\""));
    }

    [Fact]
    public async Task The_native_binary_serves_a_stream_and_publishes()
    {
        await using var workspace = new Workspace();
        var blocks = Blocks("The native binary", 3);
        await using var program = workspace.Start(blocks[0]);
        await program.WhenSeenAsync("Dunlin is at");
        await using var stream = workspace.Start(blocks[1]);
        await stream.WhenSeenAsync("event: dunlin.hello");
        var token = blocks[1].Split('\n')[0];
        Assert.Matches("""{"positions":\["[0-9a-f]+-1"\]}""", await workspace.RunAsync($"{token}\n{blocks[2]}"));
        await stream.WhenSeenAsync("""data: {"text": "hello"}""");
    }

    [Fact]
    public async Task The_tool_installs_and_serves()
    {
        await using var workspace = new Workspace();
        await using var program = workspace.Start(Blocks("The .NET tool", 1)[0]);
        await program.WhenSeenAsync("Dunlin is at");
    }

    [Fact]
    public async Task Libraries_and_client_install_from_the_folder()
    {
        await using var workspace = new Workspace();
        var blocks = Blocks("The libraries and the browser client", 2);
        await workspace.RunAsync(blocks[0] + "dotnet build --nologo -v quiet");
        await workspace.RunAsync("npm config set --location=project offline true\n" + blocks[1]);
        Assert.True(File.Exists(workspace.File("node_modules/@dunlin/client/dist/index.js")));
    }

    private static List<string> Blocks(string heading, int count)
    {
        var blocks = Root.Blocks(heading);
        Assert.Equal(count, blocks.Count);
        var port = ServerProcess.FreePort();
        return [.. blocks.Select(block => Regex.Replace(block, "(?<=127.0.0.1:|--port )509[0-9]", $"{port}"))];
    }
}
