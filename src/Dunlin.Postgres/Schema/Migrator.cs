using System.Data;
using Dunlin.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Schema;

/// <summary>Brings the schema up to date: Dunlin's own scripts first, then each registered set, each script once, in order,
/// in a transaction of its own together with its number. Nodes that start together do it one after another.</summary>
internal sealed partial class Migrator(NpgsqlDataSource database, ILogger logger)
{
    private const string Dialect = "postgres";

    private static readonly SqlText Lock = new("migration_lock");
    private static readonly SqlText CreateTable = new("create_schema_table");
    private static readonly SqlText FindNumber = new("find_schema_number");
    private static readonly SqlText SaveNumber = new("save_schema_number");

    private static readonly SchemaScripts Own = new("dunlin", typeof(Migrator).Assembly, "Dunlin.Postgres.Schema.");

    public async Task RunAsync(IEnumerable<SchemaScripts> registered, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken))
        {
            await connection.Command(Lock).ExecuteNonQueryAsync(cancellationToken);
            await connection.Command(CreateTable).ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        foreach (var set in registered.Prepend(Own))
        {
            var scripts = set.For(Dialect);
            foreach (var script in scripts)
                await RunAsync(connection, set, script, scripts[^1].Number, cancellationToken);
        }
        // What the scripts added, such as domains, is known to later connections.
        await connection.ReloadTypesAsync(cancellationToken);
    }

    private async Task RunAsync(NpgsqlConnection connection, SchemaScripts set, SchemaScript script, int newest, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        await connection.Command(Lock).ExecuteNonQueryAsync(cancellationToken);
        // Asked with the lock held: another node may have run it since.
        var current = await connection.Command(FindNumber, Statements.Text(set.Name)).ExecuteScalarAsync(cancellationToken) as int? ?? 0;
        if (current > newest)
        {
            throw new InvalidOperationException(
                $"The database has schema {current} of '{set.Name}', but this program knows only {newest}: it was written by a newer version. "
                + "Start that version, or restore a backup from before the upgrade.");
        }
        if (script.Number <= current)
            return;
        try
        {
            // No parameters, so that a script may hold several statements.
            await new NpgsqlCommand(script.Sql, connection).ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exception)
        {
            throw new InvalidOperationException($"The schema script '{script.FileName}' of '{set.Name}' failed and was rolled back: {exception.MessageText}", exception);
        }
        if (PostgresTransactions.HasEnded(transaction))
            throw new InvalidOperationException($"The schema script '{script.FileName}' of '{set.Name}' ended the transaction itself. Leave BEGIN, COMMIT and ROLLBACK out.");
        await connection.Command(SaveNumber, Statements.Text(set.Name), Statements.Number(script.Number)).ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogRan(set.Name, script.FileName);
    }

    [LoggerMessage(2110, LogLevel.Information, "Schema '{Set}': ran {Script}.")]
    private partial void LogRan(string set, string script);
}
