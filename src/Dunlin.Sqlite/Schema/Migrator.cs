using Dunlin.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Sqlite.Schema;

/// <summary>Brings the schema up to date: Dunlin's own scripts first, then each registered set, each script once, in order,
/// in a transaction of its own together with its number.</summary>
internal sealed partial class Migrator(Database database, ILogger logger)
{
    private const string Dialect = "sqlite";

    private static readonly SqlText Begin = new("begin");
    private static readonly SqlText Commit = new("commit");
    private static readonly SqlText Rollback = new("rollback");
    private static readonly SqlText CreateTable = new("create_schema_table");
    private static readonly SqlText FindNumber = new("find_schema_number");
    private static readonly SqlText SaveNumber = new("save_schema_number");

    private static readonly SchemaScripts Own = new("dunlin", typeof(Migrator).Assembly, "Dunlin.Sqlite.Schema.");

    public void Run(IEnumerable<SchemaScripts> registered)
    {
        database.Execute(CreateTable.Text);
        foreach (var set in registered.Prepend(Own))
            Run(set);
    }

    private void Run(SchemaScripts set)
    {
        var scripts = set.For(Dialect);
        var find = database.Prepare(FindNumber).Bind(1, set.Name);
        var current = find.Step() ? find.Int64(0) : 0;
        find.Reset();
        if (current > scripts[^1].Number)
        {
            throw new InvalidOperationException(
                $"The database has schema {current} of '{set.Name}', but this program knows only {scripts[^1].Number}: it was written by a newer version. "
                + "Start that version, or restore a backup from before the upgrade.");
        }
        foreach (var script in scripts)
        {
            if (script.Number > current)
                Run(set, script);
        }
    }

    private void Run(SchemaScripts set, SchemaScript script)
    {
        database.Prepare(Begin).Run();
        try
        {
            database.Execute(script.Sql);
        }
        catch (Exception exception)
        {
            if (database.InTransaction)
                database.Prepare(Rollback).Run();
            throw new InvalidOperationException($"The schema script '{script.FileName}' of '{set.Name}' failed and was rolled back: {exception.Message}", exception);
        }
        if (!database.InTransaction)
            throw new InvalidOperationException($"The schema script '{script.FileName}' of '{set.Name}' ended the transaction itself. Leave BEGIN, COMMIT and ROLLBACK out.");
        database.Prepare(SaveNumber).Bind(1, set.Name).Bind(2, script.Number).Run();
        database.Prepare(Commit).Run();
        LogRan(set.Name, script.FileName);
    }

    [LoggerMessage(2010, LogLevel.Information, "Schema '{Set}': ran {Script}.")]
    private partial void LogRan(string set, string script);
}
