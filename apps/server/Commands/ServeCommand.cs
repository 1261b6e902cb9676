using System.CommandLine;
using Dunlin.Apps.Common;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin serve</c>: starts the server. It is also what the program does without a command.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    public static Command Create() => new Command(Name, "Start the server. Default without a command.").Runs(RunAsync);

    public static async Task RunAsync(CommandRun run)
    {
        await using var app = CommandLine.Build(run.Given);
        var settings = app.Services.GetRequiredService<ServerSettings>();
        await ProgramRun.ServeAsync(app, settings.Address, settings.Port, settings.MakeFolder);
    }
}
