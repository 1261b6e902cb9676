using System.CommandLine;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin completion</c>: prints a script that completes commands and options in a shell.</summary>
/// <remarks>The scripts ask the program itself (<c>dunlin [suggest]</c> of System.CommandLine), so they never become outdated.</remarks>
internal static class CompletionCommand
{
    private static readonly Argument<string> Shell = new("shell") { Description = "bash, zsh or fish" };

    static CompletionCommand() => Shell.AcceptOnlyFromAmong("bash", "zsh", "fish");

    public static Command Create() =>
        new Command("completion", "Print the completion script of a shell: source <(dunlin completion bash)")
            .With(Shell)
            .Runs(run =>
            {
                run.Output.Line(
                    run.Need(Shell) switch
                    {
                        "bash" => Bash,
                        "zsh" => Zsh,
                        _ => Fish,
                    }
                );
                return Task.CompletedTask;
            });

    // The first word is left out, because the program may have been started by another name or path.
    private const string Bash = """
        _dunlin() {
          local rest=${COMP_LINE#* } word=${COMP_WORDS[COMP_CWORD]} line
          COMPREPLY=()
          while IFS= read -r line; do
            [[ $line == "$word"* ]] && COMPREPLY+=("$line")
          done < <("${COMP_WORDS[0]}" "[suggest:$((COMP_POINT - ${#COMP_LINE} + ${#rest}))]" "$rest" 2>/dev/null)
        }
        complete -o default -F _dunlin dunlin
        """;

    // From a folder of $fpath, zsh runs the file as the body of the function at the first completion.
    private const string Zsh = """
        #compdef dunlin
        _dunlin() {
          local rest="${(j: :)words[2,CURRENT]}"
          local -a lines
          lines=("${(@f)$("${words[1]}" "[suggest:${#rest}]" "$rest" 2>/dev/null)}")
          compadd -- $lines
        }
        if [[ $funcstack[1] == _dunlin ]]; then _dunlin "$@"; else compdef _dunlin dunlin; fi
        """;

    private const string Fish = """
        function __dunlin_complete
          set -l rest (string replace -r '^\S+\s' '' -- (commandline -cp))
          dunlin "[suggest:"(string length -- "$rest")"]" "$rest" 2>/dev/null
        end
        complete -c dunlin -a '(__dunlin_complete)'
        """;
}
