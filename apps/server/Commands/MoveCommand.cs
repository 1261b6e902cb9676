using System.CommandLine;
using Dunlin.Apps.Common;

namespace Dunlin.Server;

/// <summary><c>dunlin move</c>: copies an SQLite file into the empty PostgreSQL database of <c>--store</c>.</summary>
internal static class MoveCommand
{
    private static readonly Option<string> From = new("--from")
    {
        Description = "The SQLite file, such as data/dunlin.db",
        Required = true,
        HelpName = "file",
    };

    public static Command Create()
    {
        var command = new Command("move", "Copy an SQLite file into the empty PostgreSQL database of --store. Stop the server first.");
        command.Options.Add(From);
        command.SetAction(
            (given, _) =>
                ProgramRun.GuardedAsync(async () =>
                {
                    await using var app = CommandLine.Build(given);
                    var store =
                        app.Services.GetRequiredService<ServerSettings>().Store
                        ?? throw new InvalidOperationException("move needs --store, the empty PostgreSQL database to copy into.");
                    await MoveRun.RunAsync(app.Services, given.GetValue(From)!, store, Console.Out);
                })
        );
        return command;
    }
}
