using System.CommandLine;
using Dunlin.Postgres;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin sql</c>: installs or prints the functions with which other programs publish by SQL.</summary>
internal static class SqlCommand
{
    private static readonly Option<string> Schema = new("--schema")
    {
        Description = "The schema of the functions",
        DefaultValueFactory = _ => SqlFunctions.DefaultSchema,
        HelpName = "name",
    };
    private static readonly Option<string> StoreSchema = new("--store-schema")
    {
        Description = "The schema of the store's tables",
        DefaultValueFactory = _ => "public",
        HelpName = "name",
    };

    static SqlCommand()
    {
        foreach (var option in (Option<string>[])[Schema, StoreSchema])
        {
            option.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<string>() is not { Length: >= 1 and <= 63 } name || name.AsSpan().ContainsAny('\0', '\\'))
                    result.AddError($"{option.Name} needs the name of a schema: 1 to 63 characters without a backslash.");
            });
        }
    }

    public static Command Create() =>
        new Command("sql", "Install or print the SQL functions publish, watch, require_lease and head.").With(
            new Command("install", "Install or update the functions in the database of --store.").With(Schema).Runs(InstallAsync),
            new Command("print", "Print the script that installs the functions.").With(Schema, StoreSchema).Runs(PrintAsync)
        );

    private static async Task InstallAsync(CommandRun run)
    {
        var settings = await LocalStore.SettingsAsync(run.Given);
        if (settings.Store is null)
            throw CommandFault.Usage("sql install needs --store, a PostgreSQL database.");
        var schema = run.Get(Schema)!;
        await using var local = LocalStore.Create(settings, mustExist: true);
        try
        {
            await ((PostgresStore)local.Store).InstallSqlAsync(schema, run.CancellationToken);
        }
        catch (InvalidOperationException exception)
        {
            throw CommandFault.Failed(exception.Message);
        }
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteString("schema", schema));
        else
            run.Output.Line(
                $"Installed the functions in the schema '{schema}'. Grant rights to a role: GRANT USAGE ON SCHEMA {schema} TO ...; "
                    + $"GRANT EXECUTE ON FUNCTION {schema}.publish TO ...;"
            );
    }

    private static Task PrintAsync(CommandRun run)
    {
        var script = SqlFunctions.Script(run.Get(StoreSchema)!, run.Get(Schema)!);
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteString("script", script));
        else
            run.Output.Line(script.TrimEnd('\n'));
        return Task.CompletedTask;
    }
}
