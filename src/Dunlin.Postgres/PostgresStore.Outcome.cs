using Dunlin.Diagnostics;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Schema;
using Npgsql;

namespace Dunlin.Postgres;

/// <content>
/// Finds the outcome of a transaction of the application whose commit has lost its connection.
/// <para>
/// The server keeps the outcome of each transaction id. A transaction that still runs may have lost only its client: its session waits for
/// a COMMIT that will never come. The store ends this session. A session that is committing ignores the request until it has finished, so
/// the outcome is final afterwards.
/// </para>
/// </content>
public sealed partial class PostgresStore
{
    private static readonly TimeSpan MaxOutcomeTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstOutcomeDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxOutcomeDelay = TimeSpan.FromSeconds(1);

    // A session that is committing has this time before the store ends it.
    private static readonly TimeSpan EndAfter = TimeSpan.FromMilliseconds(100);

    private static readonly SqlText EndTransaction = new("end_transaction");

    internal override string? TransactionIdSql => TransactionOutcome.IdSql;

    internal override async ValueTask<bool?> FindOutcomeAsync(string transactionId, CancellationToken cancellationToken)
    {
        var (time, began) = (NodeClock.TimeProvider, NodeClock.TimeProvider.GetTimestamp());
        var delay = FirstOutcomeDelay;
        while (true)
        {
            try
            {
                var mayEnd = time.GetElapsedTime(began) >= EndAfter;
                var outcome = await QueryAsync((connection, ct) => AskAsync(connection, transactionId, mayEnd, ct), cancellationToken);
                if (outcome is not null)
                    return outcome;
            }
            catch (DunlinException error) when (error.Code == ErrorCode.StoreUnavailable)
            {
                // The database restarts, as it did when the commit was lost.
            }
            if (time.GetElapsedTime(began) >= MaxOutcomeTime)
                return null;
            await Task.Delay(delay, time, cancellationToken);
            delay = delay < MaxOutcomeDelay ? 2 * delay : MaxOutcomeDelay;
        }
    }

    private static async ValueTask<bool?> AskAsync(
        NpgsqlConnection connection,
        string transactionId,
        bool mayEnd,
        CancellationToken cancellationToken
    )
    {
        if (await TransactionOutcome.FindAsync(connection, transactionId, cancellationToken) is { } outcome)
            return outcome;
        if (!mayEnd)
            return null;
        try
        {
            await using var end = connection.Command(EndTransaction, Statements.Text(transactionId.Split(' ')[0]));
            await end.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException error) when (error.SqlState == "42501")
        {
            // The session belongs to another role. The server ends it when it detects the loss of the client.
        }
        return null;
    }
}
