using System.CommandLine;
using Dunlin.Client;

namespace Dunlin.Server.Commands.Remote;

/// <summary>Calls a server with <see cref="DunlinClient"/> and turns its errors into those of commands.</summary>
internal static class RemoteCalls
{
    /// <summary>Runs the action of a command with a client of the server that its options name.</summary>
    public static Command Calls(this Command command, Func<CommandRun, DunlinClient, Task> action) =>
        command
            .With(RemoteServer.Server, RemoteServer.Token)
            .Runs(async run =>
            {
                var server = RemoteServer.AddressOf(run);
                var token = RemoteServer.TokenOf(run, server);
                using var client = new DunlinClient(
                    new DunlinClientOptions
                    {
                        Address = server,
                        GetToken = _ => ValueTask.FromResult(token()),
                        // The user repeats a command. A publish with --key is then published once.
                        PublishAttempts = 1,
                    }
                );
                try
                {
                    await action(run, client);
                }
                catch (DunlinClientException exception) when (!run.CancellationToken.IsCancellationRequested)
                {
                    throw FaultOf(exception.Problem, server, exception);
                }
                catch (DunlinClientException)
                {
                    throw new OperationCanceledException(run.CancellationToken);
                }
            });

    public static CommandFault FaultOf(ClientProblem problem, Uri server, Exception? cause = null) =>
        problem.Kind == ProblemKind.Network
            ? CommandFault.Unreachable(server, cause is null ? problem.Title : Doctor.ServerChecks.Innermost(cause), cause)
            : CommandFault.Refused(problem.Code, problem.Detail ?? problem.Title, problem.Hint, cause);
}
