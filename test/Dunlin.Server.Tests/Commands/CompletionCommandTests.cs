using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The command <c>completion</c>, in real shells.</summary>
[Trait("Store", "own")]
public sealed class CompletionCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-completion-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("dunlin jou", "journal")]
    [InlineData("dunlin journal ex", "export")]
    [InlineData("dunlin tail --posi", "--position-file")]
    [InlineData("dunlin publish t/1 --tra", "--transient")]
    [InlineData("dunlin completion z", "zsh")]
    public async Task Bash_completes_commands_options_and_values(string line, string completed)
    {
        await InstallAsync();
        var script = $$"""
            PATH={{_folder}}:$PATH
            source <(dunlin completion bash)
            complete -p dunlin
            COMP_LINE='{{line}}'
            COMP_POINT=${#COMP_LINE}
            COMP_WORDS=($COMP_LINE)
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _dunlin
            printf 'completed: %s\n' "${COMPREPLY[@]}"
            """;
        await using var bash = ServerProcess.Start("bash", ["-c", script]);
        Assert.Equal(0, await bash.WhenExitedAsync());
        Assert.Contains("-F _dunlin dunlin", bash.Output, StringComparison.Ordinal);
        Assert.Contains($"completed: {completed}", bash.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("completed: serve", bash.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fpath=($folder $fpath); autoload -Uz _dunlin", "the folder of completions")]
    [InlineData("compdef() { registered=$*; }; source <(dunlin completion zsh); [[ $registered == '_dunlin dunlin' ]] || exit 9", "source")]
    public async Task Zsh_completes_commands_from_its_first_call(string load, string origin)
    {
        await InstallAsync();
        // compadd works in the line editor only.
        var script = $$"""
            folder={{_folder}}
            PATH=$folder:$PATH
            dunlin completion zsh > $folder/_dunlin
            {{load}}
            compadd() { shift; printf 'completed: %s\n' "$@"; }
            words=(dunlin jou) CURRENT=2
            _dunlin
            words=(dunlin journal ex) CURRENT=3
            _dunlin
            """;
        await using var zsh = ServerProcess.Start("zsh", ["-f", "-c", script]);
        Assert.True(await zsh.WhenExitedAsync() == 0, $"{origin}: {zsh.Output}");
        Assert.Contains("completed: journal", zsh.Output, StringComparison.Ordinal);
        Assert.Contains("completed: export", zsh.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fish_completes_commands()
    {
        await InstallAsync();
        var script = $"set -x HOME {_folder}; set PATH {_folder} $PATH; dunlin completion fish | source; complete -C 'dunlin journal ex'";
        await using var fish = ServerProcess.Start("fish", ["--no-config", "-c", script]);
        Assert.Equal(0, await fish.WhenExitedAsync());
        Assert.Contains("export", fish.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("serve", fish.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("zsh", "compdef _dunlin dunlin")]
    [InlineData("fish", "complete -c dunlin")]
    public async Task Scripts_of_other_shells_register_the_command(string shell, string registration)
    {
        var (code, output, _) = await Cli.RunAsync("completion", shell);
        Assert.Equal(0, code);
        Assert.Contains(registration, output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", output, StringComparison.Ordinal);
    }

    private async Task InstallAsync()
    {
        var dunlin = Path.Combine(_folder, "dunlin");
        await File.WriteAllTextAsync(dunlin, $"#!/bin/sh\nexec {ServerProgram.Command} \"$@\"\n");
        await ServerProcess.RunAsync("chmod", ["+x", dunlin]);
    }

    [Fact]
    public async Task An_unknown_shell_exits_with_2()
    {
        var (code, _, error) = await Cli.RunAsync("completion", "cmd");
        Assert.Equal(2, code);
        Assert.Contains("cmd", error, StringComparison.Ordinal);
    }
}
