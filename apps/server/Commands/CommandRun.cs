using System.CommandLine;
using System.Globalization;
using Dunlin.Apps.Common;

namespace Dunlin.Server.Commands;

/// <summary>The state of one run of a command.</summary>
/// <param name="Given">The parsed arguments.</param>
/// <param name="Output">The output.</param>
/// <param name="CancellationToken">Cancelled by Ctrl+C and SIGTERM.</param>
internal sealed record CommandRun(ParseResult Given, CommandOutput Output, CancellationToken CancellationToken)
{
    public T? Get<T>(Option<T> option) => Given.GetValue(option);

    public T Need<T>(Argument<T> argument) => Given.GetRequiredValue(argument);
}

/// <summary>Connects commands with their actions.</summary>
internal static class CommandActions
{
    /// <summary>Sets the action of a command. Errors that the user can correct become one sentence and an exit code.</summary>
    public static Command Runs(this Command command, Func<CommandRun, Task> action) =>
        command.Runs(async run =>
        {
            await action(run);
            return ExitCodes.Ok;
        });

    /// <inheritdoc cref="Runs(Command, Func{CommandRun, Task})"/>
    public static Command Runs(this Command command, Func<CommandRun, Task<int>> action)
    {
        command.SetAction(
            async (given, cancellationToken) =>
            {
                var output = CommandLine.OutputOf(given);
                try
                {
                    return await action(new CommandRun(given, output, cancellationToken));
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    return ExitCodes.Interrupted;
                }
                catch (CommandFault fault)
                {
                    output.Error(fault);
                    return fault.ExitCode;
                }
                catch (Exception exception) when (ProgramRun.Reason(exception) is { } reason)
                {
                    output.Error(CommandFault.Failed(reason));
                    return ExitCodes.Failed;
                }
                finally
                {
                    output.Flush();
                }
            }
        );
        return command;
    }

    /// <summary>Refuses numbers outside of a range. A text that is no number is refused by the parser.</summary>
    public static void RequireRange(this Option option, double least, double most = double.PositiveInfinity) =>
        option.Validators.Add(result =>
        {
            if (
                result.Tokens is [var token, ..]
                && double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && !(number >= least && number <= most)
            )
            {
                var range = double.IsInfinity(most) ? $"at least {least}" : $"{least} to {most}";
                result.AddError($"{option.Name} must be {range}, not {token.Value}.");
            }
        });

    /// <summary>Adds options and arguments.</summary>
    public static Command With(this Command command, params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Arguments.Add(argument);
            else if (symbol is Option option)
                command.Options.Add(option);
            else
                command.Subcommands.Add((Command)symbol);
        }
        return command;
    }
}
