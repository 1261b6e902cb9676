using System.Text.Json;
using Dunlin.Server.Tests.Support;

namespace Dunlin.Server.Tests.Commands;

/// <summary>What all commands share: help, exit codes, errors and formats.</summary>
[Trait("Store", "own")]
public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--no-such-option", "serve", "--no-such-option")]
    [InlineData("'no-such-command'", "no-such-command")]
    [InlineData("--subject", "token")]
    [InlineData("yaml", "check", "--output", "yaml")]
    public async Task Wrong_arguments_are_named_and_exit_with_2(string named, params string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync(arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Contains("--help' lists the arguments", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_commands_and_exits_with_0()
    {
        var (code, output, error) = await Cli.RunAsync("--help");
        Assert.Equal((0, ""), (code, error));
        foreach (var name in new[] { "serve", "check", "token", "journal", "move", "backup", "restore" })
            Assert.Contains($"  {name} ", output, StringComparison.Ordinal);
        (code, output, _) = await Cli.RunAsync("journal", "export", "--help");
        Assert.Equal(0, code);
        Assert.Contains("--to", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_and_errors_are_JSON_on_request()
    {
        var token = await Cli.JsonAsync("token", "--data", _folder, "--subject", "ann", "--minutes", "2");
        Assert.Equal(120, token.GetProperty("expiresIn").GetInt32());
        var check = await Cli.JsonAsync("check", "--data", _folder, "--token", token.GetProperty("token").GetString()!);
        Assert.Equal("accepted", check.GetProperty("token").GetString());
        Assert.Equal(_folder, check.GetProperty("data").GetString());

        var (code, output, error) = await Cli.RunAsync("check", "--data", _folder, "--token", "x", "--output", "json");
        Assert.Equal((1, ""), (code, output));
        var fault = JsonDocument.Parse(error).RootElement;
        Assert.Equal(1, fault.GetProperty("exitCode").GetInt32());
        Assert.Contains("the token is refused", fault.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_is_not_for_a_terminal_has_no_escape_sequences()
    {
        var (code, output, error) = await Cli.RunAsync("check", "--data", _folder);
        Assert.Equal(0, code);
        Assert.DoesNotContain('\u001b', output + error);
    }
}
