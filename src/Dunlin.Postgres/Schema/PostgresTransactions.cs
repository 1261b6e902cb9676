using Npgsql;

namespace Dunlin.Postgres.Schema;

/// <summary>What the client knows of a transaction without asking the server.</summary>
internal static class PostgresTransactions
{
    /// <summary>Whether somebody has committed or rolled back the transaction by a statement. Every answer of the server says
    /// whether a transaction is open; the property asks what the last one said.</summary>
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
