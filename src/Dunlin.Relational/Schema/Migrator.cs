using System.Data.Common;
using Dunlin.Hosting;
using Dunlin.Relational.Sql;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Schema;

/// <summary>Brings the schema up to date: runs the engine's own scripts first, then each registered set. Not thread-safe.</summary>
/// <remarks>Each script runs once, in the order of the numbers. Its transaction also saves its number. Nodes that start concurrently run
/// the scripts one after another.</remarks>
internal sealed partial class Migrator(ISchemaSession session, SqlDialect dialect, ILogger logger)
{
    /// <exception cref="InvalidOperationException">A script failed, or the database is newer than the program.</exception>
    public async ValueTask RunAsync(IEnumerable<SchemaScripts> registered, CancellationToken cancellationToken)
    {
        await session.BeginAsync(cancellationToken);
        await session.Call("schema_create").RunAsync(cancellationToken);
        await session.CommitAsync(cancellationToken);
        foreach (var set in registered.Prepend(dialect.Schema))
        {
            var scripts = set.For(dialect.Name);
            foreach (var script in scripts)
                await RunAsync(set, script, scripts[^1].Number, cancellationToken);
        }
    }

    private async ValueTask RunAsync(SchemaScripts set, SchemaScript script, int newest, CancellationToken cancellationToken)
    {
        // The transaction holds the lock of migrations, so no other node can run the script between this query and the commit.
        await session.BeginAsync(cancellationToken);
        try
        {
            var current = await session.Call("schema_find").Text(set.Name).FindAsync(static row => row.Number(0), cancellationToken);
            if (current > newest)
            {
                throw new InvalidOperationException(
                    $"The database has version {current} of schema '{set.Name}', but this program supports only {newest}: "
                        + "a newer version of the program wrote it. Start that version, or restore a backup from before the upgrade."
                );
            }
            if (script.Number <= current)
                return;
            await ExecuteAsync(set, script, cancellationToken);
            await session.Call("schema_save").Text(set.Name).Number(script.Number).RunAsync(cancellationToken);
            await session.CommitAsync(cancellationToken);
        }
        finally
        {
            await session.RollbackAsync();
        }
        LogRan(set.Name, script.FileName);
    }

    private async ValueTask ExecuteAsync(SchemaScripts set, SchemaScript script, CancellationToken cancellationToken)
    {
        try
        {
            await session.ExecuteAsync(script.Sql, cancellationToken);
        }
        catch (DbException exception)
        {
            throw new InvalidOperationException(
                $"The schema script '{script.FileName}' of '{set.Name}' failed and was rolled back: {exception.Message}",
                exception
            );
        }
        if (!session.InTransaction)
        {
            throw new InvalidOperationException(
                $"The schema script '{script.FileName}' of '{set.Name}' ended the transaction. " + "Remove BEGIN, COMMIT and ROLLBACK."
            );
        }
    }

    [LoggerMessage(2010, LogLevel.Information, "Schema '{Set}': ran {Script}.")]
    private partial void LogRan(string set, string script);
}

/// <summary>A session of migrations. Its transactions exclude the migrations of other nodes.</summary>
internal interface ISchemaSession : ISqlSession
{
    /// <summary>Gets whether the transaction is open. A script may have ended it.</summary>
    bool InTransaction { get; }

    ValueTask BeginAsync(CancellationToken cancellationToken);

    ValueTask CommitAsync(CancellationToken cancellationToken);

    /// <summary>Rolls back the transaction if it is open.</summary>
    ValueTask RollbackAsync();

    /// <summary>Runs a script of one or more commands without parameters.</summary>
    ValueTask ExecuteAsync(string script, CancellationToken cancellationToken);
}
