using System.CommandLine;
using System.Globalization;
using Dunlin.Relational;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin journal</c>: exports the journal as JSON lines, and imports them into an empty one.</summary>
internal static class JournalCommand
{
    private const string Standard = "-";

    private static readonly Option<string> To = new("--to")
    {
        Description = "The file to write; '-' is the standard output. An interrupted export continues",
        DefaultValueFactory = _ => Standard,
        HelpName = "file",
    };
    private static readonly Option<string> From = new("--from")
    {
        Description = "The file to read; '-' is the standard input. An interrupted import continues",
        DefaultValueFactory = _ => Standard,
        HelpName = "file",
    };
    private static readonly Option<bool> KeepPositions = new("--keep-positions")
    {
        Description = "Keep offsets and epoch, so that readers resume where they were",
    };

    public static Command Create() =>
        new Command("journal", "Export the journal as JSON lines, or import them.").With(
            new Command("export", "Write all events of --data or --store, oldest first.").With(To).Runs(ExportAsync),
            new Command("import", "Read events into the empty journal of --data or --store. Stop the server first.")
                .With(From, KeepPositions)
                .Runs(ImportAsync)
        );

    private static async Task ExportAsync(CommandRun run)
    {
        await using var local = LocalStore.Create(await LocalStore.SettingsAsync(run.Given), mustExist: true);
        var path = run.Get(To)!;
        await using var target =
            path == Standard
                ? Console.OpenStandardOutput()
                : new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var events = await JournalExport.RunAsync(local.Store, target, Progress(run, "exported"), run.CancellationToken);
        if (target is FileStream file)
            file.Flush(flushToDisk: true);
        // The standard output contains the export.
        if (path == Standard || !run.Output.IsJson)
            run.Output.Note(Text($"exported {events} events"));
        else
            run.Output.JsonObject(json => json.WriteNumber("events", events));
    }

    private static async Task ImportAsync(CommandRun run)
    {
        var path = run.Get(From)!;
        if (path != Standard && !File.Exists(path))
            throw CommandFault.Failed($"The file '{path}' does not exist.");
        await using var source = path == Standard ? Console.OpenStandardInput() : File.OpenRead(path);
        await using var local = LocalStore.Create(await LocalStore.SettingsAsync(run.Given), mustExist: false);
        var events = await JournalImport.RunAsync(
            local.Store,
            source,
            run.Get(KeepPositions),
            Progress(run, "imported"),
            run.CancellationToken
        );
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteNumber("events", events));
        else
            run.Output.Line(Text($"Imported {events} events."));
    }

    private static Action<long, long>? Progress(CommandRun run, string done) =>
        run.Output.ShowsProgress ? (at, last) => run.Output.Progress(Text($"{done} up to offset {at} of {last}")) : null;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
