using System.CommandLine;
using Dunlin.Sqlite;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin backup</c>: copies the SQLite file while the server uses it.</summary>
internal static class BackupCommand
{
    private static readonly Option<string> To = new("--to")
    {
        Description = "The file to create",
        Required = true,
        HelpName = "file",
    };

    public static Command Create() =>
        new Command("backup", "Copy the SQLite file of --data, also while the server runs. The copy has a new epoch when it is opened.")
            .With(To)
            .Runs(RunAsync);

    private static async Task RunAsync(CommandRun run)
    {
        var settings = await LocalStore.SettingsAsync(run.Given);
        if (settings.Store is not null)
        {
            throw CommandFault.Usage(
                "backup copies SQLite files. For PostgreSQL use pg_dump, and run 'dunlin restore --store ...' after pg_restore."
            );
        }
        var target = Path.GetFullPath(run.Given.GetRequiredValue(To));
        var head = await SqliteBackup.CreateAsync(LocalStore.FileOf(settings), target, run.CancellationToken);
        var bytes = new FileInfo(target).Length;
        if (run.Output.IsJson)
            run.Output.JsonObject(json =>
            {
                json.WriteString("file", target);
                json.WriteString("position", head.ToString());
                json.WriteNumber("bytes", bytes);
            });
        else
            run.Output.Line($"{target} has everything up to {head} ({bytes / 1024:n0} KiB). The integrity check passed.");
    }
}
