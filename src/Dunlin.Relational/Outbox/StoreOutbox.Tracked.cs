using System.Data.Common;
using Dunlin.Journal;

namespace Dunlin.Relational.Outbox;

/// <content>Adds events to a transaction whose outcome can be found if its commit loses the connection.</content>
internal sealed partial class StoreOutbox
{
    /// <summary>Adds events as <see cref="AddAsync"/>.</summary>
    /// <returns>The id of the transaction for <see cref="RelationalStore.FindOutcomeAsync"/>; null if its store loses no commit.</returns>
    internal async ValueTask<string?> AddTrackedAsync(
        DbConnection connection,
        DbTransaction? transaction,
        IReadOnlyList<EventDraft> drafts,
        CancellationToken cancellationToken
    )
    {
        Check(drafts);
        await _store.OpenAsync(cancellationToken);
        string? id = null;
        for (var first = 0; first < drafts.Count; first += RowsPerInsert)
        {
            await using var command = InsertTracked(connection, transaction, drafts, first);
            id = await command.ExecuteScalarAsync(cancellationToken) as string;
        }
        return id;
    }

    /// <summary>Adds events as <see cref="AddTrackedAsync"/>, and blocks the thread meanwhile.</summary>
    internal string? AddTracked(DbConnection connection, DbTransaction? transaction, IReadOnlyList<EventDraft> drafts)
    {
        Check(drafts);
        // Throws if the store is not open.
        _ = _store.Head;
        string? id = null;
        for (var first = 0; first < drafts.Count; first += RowsPerInsert)
        {
            using var command = InsertTracked(connection, transaction, drafts, first);
            id = command.ExecuteScalar() as string;
        }
        return id;
    }

    private DbCommand InsertTracked(DbConnection connection, DbTransaction? transaction, IReadOnlyList<EventDraft> drafts, int first)
    {
        var command = Insert(connection, transaction, drafts, first);
#pragma warning disable CA2100 // the text has an expression of the store only
        if (_store.TransactionIdSql is { } sql)
            command.CommandText += " RETURNING " + sql;
#pragma warning restore CA2100
        return command;
    }
}
