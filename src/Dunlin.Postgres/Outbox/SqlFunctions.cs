using System.Data;
using Dunlin.Postgres.Schema;
using Npgsql;

namespace Dunlin.Postgres;

/// <summary>
/// The functions with which programs of any language publish by SQL, inside their own transactions: <c>publish</c>, <c>require_lease</c>
/// and <c>head</c>; and those that publish the changes of tables: <c>watch</c>, <c>unwatch</c> and <c>snapshot</c>. Thread-safe.
/// </summary>
/// <example>
/// <code>
/// BEGIN;
/// UPDATE cases SET state = 'done' WHERE id = 7;
/// SELECT dunlin.publish('cases/7', 'case.updated', '{"state":"done"}');
/// COMMIT;
/// </code>
/// </example>
public static class SqlFunctions
{
    /// <summary>The usual schema of the functions: <c>dunlin</c>.</summary>
    public const string DefaultSchema = "dunlin";

    private static readonly SqlText[] Scripts = [new("functions"), new("watch"), new("watch_tables")];
    private static readonly SqlText MigrationLock = new("migration_lock");
    private static readonly SqlText FindSchema = new("find_schema");

    /// <summary>Returns the script that installs or updates the functions. Run it in one transaction, as the owner of the store's
    /// tables.</summary>
    /// <param name="store">The schema of the store, such as <c>public</c>. A node must have migrated it.</param>
    /// <param name="schema">The schema of the functions.</param>
    /// <exception cref="ArgumentException">A name is empty or has NUL.</exception>
    public static string Script(string store, string schema = DefaultSchema)
    {
        Check(store);
        Check(schema);
        return string.Join('\n', Scripts.Select(script => script.Text))
            .Replace("@functions@", Quote(schema), StringComparison.Ordinal)
            .Replace("@functions_text@", Literal(schema), StringComparison.Ordinal)
            .Replace("@functions_quoted@", Literal(Quote(schema)), StringComparison.Ordinal)
            .Replace("@store@", Quote(store), StringComparison.Ordinal)
            .Replace("@store_text@", Literal(store), StringComparison.Ordinal);
    }

    /// <summary>Returns a name as an identifier in statements.</summary>
    internal static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <exception cref="InvalidOperationException">The database refused the script.</exception>
    internal static async Task InstallAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        // Nodes that start at the same time run the script one after another.
        await using (var wait = connection.Command(MigrationLock))
            await wait.ExecuteNonQueryAsync(cancellationToken);
        await using var find = connection.Command(FindSchema);
        var store = (string)(await find.ExecuteScalarAsync(cancellationToken))!;
        try
        {
#pragma warning disable CA2100 // the names are quoted
            await using var command = new NpgsqlCommand(Script(store, schema), connection);
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is "42501" or "P0001" or "42P07" or "42723")
        {
            throw new InvalidOperationException(
                $"The SQL functions cannot be installed in the schema '{schema}': {exception.MessageText}. "
                    + (exception.Hint ?? "Install them once as the owner of the schema, with 'dunlin sql install'."),
                exception
            );
        }
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static void Check(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('\0', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' is no name of a schema: it has NUL or a backslash.", nameof(name));
    }
}
