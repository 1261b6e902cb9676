using System.Globalization;
using Dunlin.Postgres.Schema;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>Finds the outcome of a transaction whose commit has lost its connection.</summary>
/// <remarks>
/// The server keeps the outcome of each transaction id. A crash may lose the log of the transaction, and the server then gives its id to
/// another one. The position in the log shows that.
/// </remarks>
internal static class TransactionOutcome
{
    /// <summary>An expression that returns the id for <see cref="FindAsync"/>: the transaction id, the position in the log and the time in
    /// microseconds. Read it after the transaction has changed or locked a row, so that the position is behind the first use of its
    /// id.</summary>
    public const string IdSql =
        "pg_catalog.concat_ws(' ', pg_catalog.pg_current_xact_id(), pg_catalog.pg_current_wal_insert_lsn(), "
        + "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::BIGINT)";

    private static readonly SqlText FindOutcome = new("find_outcome");

    /// <summary>Returns whether a transaction was committed; null if it still runs, or if the server has forgotten it.</summary>
    public static async ValueTask<bool?> FindAsync(NpgsqlConnection connection, string id, CancellationToken cancellationToken)
    {
        var parts = id.Split(' ');
        await using var command = connection.Command(
            FindOutcome,
            Statements.Text(parts[0]),
            Statements.Text(parts[1]),
            Statements.Number(long.Parse(parts[2], CultureInfo.InvariantCulture))
        );
        try
        {
            return await command.ExecuteScalarAsync(cancellationToken) switch
            {
                "committed" => true,
                "aborted" => false,
                _ => null,
            };
        }
        catch (PostgresException error) when (error.SqlState == "22023")
        {
            // The id is in the future of this server, so the transaction never existed on it.
            return false;
        }
    }
}
