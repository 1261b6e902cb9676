using Npgsql;

namespace Dunlin.Postgres.Schema;

/// <summary>Reads the state of a transaction from the client, without a round trip.</summary>
internal static class PostgresTransactions
{
    /// <summary>Returns whether a statement has committed or rolled back the transaction. Each response of the server contains the state of
    /// the transaction; the property reads the last one.</summary>
    public static bool HasEnded(NpgsqlTransaction transaction)
    {
        try
        {
            _ = transaction.IsolationLevel;
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }
}
