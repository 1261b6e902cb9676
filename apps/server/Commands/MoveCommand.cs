using System.CommandLine;
using Dunlin.Apps.Common;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin move</c>: copies an SQLite file into the empty PostgreSQL database of <c>--store</c>.</summary>
internal static class MoveCommand
{
    private static readonly Option<string> From = new("--from")
    {
        Description = "The SQLite file, such as data/dunlin.db",
        Required = true,
        HelpName = "file",
    };

    public static Command Create() =>
        new Command("move", "Copy an SQLite file into the empty PostgreSQL database of --store. Stop the server first.")
            .With(From)
            .Runs(RunAsync);

    private static async Task RunAsync(CommandRun run)
    {
        await using var app = CommandLine.Build(run.Given);
        var store =
            app.Services.GetRequiredService<ServerSettings>().Store
            ?? throw CommandFault.Usage("move needs --store, the empty PostgreSQL database to copy into.");
        var progress = run.Output.IsJson ? TextWriter.Null : run.Given.InvocationConfiguration.Output;
        var rows = await MoveRun.RunAsync(app.Services, run.Given.GetRequiredValue(From), store, progress);
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteNumber("rows", rows));
    }
}
