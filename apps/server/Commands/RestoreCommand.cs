using System.CommandLine;
using Dunlin.Relational;
using Dunlin.Sqlite;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin restore</c>: puts a backup in the place of the SQLite file, or completes a restore of PostgreSQL.</summary>
internal static class RestoreCommand
{
    private static readonly Option<string?> From = new("--from") { Description = "The backup of an SQLite file", HelpName = "file" };
    private static readonly Option<bool> Replace = new("--replace")
    {
        Description = "Keep the present file as dunlin.db.replaced instead of refusing",
    };

    public static Command Create() =>
        new Command("restore", "Restore a backup to --data, or begin a new epoch in a restored --store. Stop the server first.")
            .With(From, Replace)
            .Runs(RunAsync);

    private static async Task RunAsync(CommandRun run)
    {
        var settings = await LocalStore.SettingsAsync(run.Given);
        if (settings.Store is not null)
        {
            if (run.Get(From) is not null)
                throw CommandFault.Usage(
                    "--from is for SQLite. Restore PostgreSQL with pg_restore, then run 'dunlin restore --store ...'."
                );
            await using var local = LocalStore.Create(settings, mustExist: true);
            var renewed = await StoreEpoch.RenewAsync(local.Store, run.CancellationToken);
            Report(run, "the database", $"{renewed}", "Readers with earlier positions are reset.");
            return;
        }
        var backup = run.Get(From) ?? throw CommandFault.Usage("restore needs --from, the backup of an SQLite file.");
        settings.MakeFolder();
        var file = LocalStore.FileOf(settings);
        var head = await SqliteBackup.RestoreAsync(backup, file, run.Get(Replace), run.CancellationToken);
        Report(run, file, $"{head}", "The next start begins a new epoch: readers with earlier positions are reset.");
    }

    private static void Report(CommandRun run, string target, string position, string consequence)
    {
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteString("position", position));
        else
            run.Output.Line($"Restored {target} up to {position}. {consequence}");
    }
}
