using System.Net;
using Dunlin.Security;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>What the server prints to try next after its start.</summary>
[Trait("Store", "own")]
public sealed class AnnouncementTests
{
    private static readonly ServerSettings Settings = new()
    {
        Address = IPAddress.Loopback,
        Port = 5090,
        Data = Path.GetFullPath("data"),
    };

    [Fact]
    public void Default_settings_give_short_commands_without_options()
    {
        var lines = Lines(Settings, new AccessTokenOptions(), "http://127.0.0.1:5090");
        Assert.Contains("TOKEN=$(dunlin token --subject me --role admin --subscribe '**' --publish '**')", lines, StringComparison.Ordinal);
        Assert.Contains("dunlin tail '**'\n", lines, StringComparison.Ordinal);
        Assert.Contains("open http://127.0.0.1:5090/dunlin/inspect/ ", lines, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', lines);
        Assert.All(lines.Split('\n'), line => Assert.InRange(line.Length, 0, 120));
    }

    [Theory]
    [InlineData("http://0.0.0.0:5080", "http://127.0.0.1:5080")]
    [InlineData("http://[::]:5080", "http://[::1]:5080")]
    [InlineData("http://10.0.0.7:5080", "http://10.0.0.7:5080")]
    public void Commands_name_an_address_that_can_be_opened(string listening, string expected)
    {
        var lines = Lines(Settings, new AccessTokenOptions(), listening);
        Assert.Contains($"'{expected}/dunlin/v1/events?topic=news'", lines, StringComparison.Ordinal);
        Assert.Contains($"tail '**' --server {expected}", lines, StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_name_the_folder_and_file_of_the_key()
    {
        var lines = Lines(Settings with { Data = "/srv/ann's data", File = "/etc/dunlin.json" }, new AccessTokenOptions(), null);
        Assert.Contains(@"--publish '**' --config '/etc/dunlin.json' --data '/srv/ann'\''s data')", lines, StringComparison.Ordinal);
        Assert.Contains(@"tail '**' --config '/etc/dunlin.json' --data '/srv/ann'\''s data'", lines, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_no_command_can_read_gives_no_token_command()
    {
        var store = Settings with { Store = "Host=db" };
        var lines = Lines(store, new AccessTokenOptions(), null);
        Assert.DoesNotContain("TOKEN=$(", lines, StringComparison.Ordinal);
        Assert.Contains("set Dunlin__Tokens__SigningKey", lines, StringComparison.Ordinal);
        lines = Lines(store, new AccessTokenOptions { SigningKey = Mint.KeyText }, null);
        Assert.Contains("TOKEN=$(", lines, StringComparison.Ordinal);
        Assert.Contains("set Dunlin__Tokens__SigningKey there as here", lines, StringComparison.Ordinal);
        Assert.DoesNotContain(Mint.KeyText, lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Printed_commands_work_as_they_stand()
    {
        await using var program = new ServerProgram();
        await program.StartAsync();
        await program.WhenSeenAsync("dunlin --help");
        var lines = program.Output.Split('\n').Select(line => line.Trim()).ToList();
        var token = lines.Single(line => line.StartsWith("a token ", StringComparison.Ordinal))["a token".Length..].Trim();
        var curl = lines.Single(line => line.StartsWith("with curl ", StringComparison.Ordinal))["with curl".Length..].Trim();
        var script = $$"""
            dunlin() { {{ServerProgram.Command}} "$@"; }
            cd {{program.Folder}}
            {{token}}
            {{curl}} --max-time 60 | grep -m 1 dunlin.hello
            """;
        await using var bash = ServerProcess.Start("bash", ["-c", script]);
        await bash.WhenSeenAsync("event: dunlin.hello");
        Assert.Equal(0, await bash.WhenExitedAsync());
        var inspector = lines.Single(line => line.StartsWith("inspector ", StringComparison.Ordinal)).Split(' ', 4)[3];
        using var client = Calls.Client(program.Address, null);
        // The page itself may be missing from this build.
        var mode = new Uri(new Uri(inspector.Trim().Split(' ')[0]), "api/mode");
        Assert.Contains("\"engine\":\"/dunlin/v1\"", await client.GetStringAsync(mode), StringComparison.Ordinal);
    }

    private static string Lines(ServerSettings settings, AccessTokenOptions tokens, string? listening) =>
        string.Join('\n', Announcement.NextSteps(settings, tokens, listening));
}
