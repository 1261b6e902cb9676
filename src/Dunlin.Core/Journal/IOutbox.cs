using System.Data.Common;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>
/// Adds events to transactions that the application runs itself, on its own connection to the database of the store. Thread-safe.
/// </summary>
/// <remarks>
/// A unit of work (<see cref="IStore.WriteAsync"/>) appends events at once and knows their positions. The outbox is for transactions that
/// cannot run inside one, such as those of EF Core or Dapper. If the transaction commits, a node moves its events into the journal, once
/// and in order. If it rolls back, they never existed.
/// </remarks>
/// <example>
/// <code>
/// await using var transaction = await connection.BeginTransactionAsync(ct);
/// await connection.ExecuteAsync("UPDATE ...", transaction: transaction); // Dapper
/// await outbox.AddAsync(connection, transaction, [EventDraft.Of(topic, "case.updated", change)], ct);
/// await transaction.CommitAsync(ct);
/// var position = await outbox.FlushAsync(ct); // only if the caller needs a position
/// </code>
/// </example>
public interface IOutbox
{
    /// <summary>Adds events to a transaction. Their order in the transaction is kept.</summary>
    /// <param name="connection">An open connection to the database of the store, of any ADO.NET provider.</param>
    /// <param name="transaction">The open transaction of the connection. Null: the events commit at once, or with the ambient
    /// transaction of the connection.</param>
    /// <param name="drafts">The events: 1 to 1,000.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>: there are too many events, or the data of one is larger than
    /// 1 MiB. <see cref="ErrorCode.InvalidField"/>: there is no event, or the database cannot store a text.</exception>
    /// <exception cref="DbException">The database refused the rows, for example because the transaction has failed.</exception>
    ValueTask AddAsync(
        DbConnection connection,
        DbTransaction? transaction,
        IReadOnlyList<EventDraft> drafts,
        CancellationToken cancellationToken = default
    );

    /// <summary>Adds events to a transaction, and blocks the thread meanwhile. Otherwise as <see cref="AddAsync"/>.</summary>
    /// <param name="connection">An open connection to the database of the store, of any ADO.NET provider.</param>
    /// <param name="transaction">The open transaction of the connection. Null: the events commit at once, or with the ambient
    /// transaction of the connection.</param>
    /// <param name="drafts">The events: 1 to 1,000.</param>
    /// <exception cref="DunlinException">As <see cref="AddAsync"/>.</exception>
    /// <exception cref="DbException">The database refused the rows.</exception>
    /// <exception cref="InvalidOperationException">The store is not open.</exception>
    void Add(DbConnection connection, DbTransaction? transaction, IReadOnlyList<EventDraft> drafts);

    /// <summary>Moves the events of all transactions that have committed before the call into the journal.</summary>
    /// <remarks>Not needed for delivery: nodes move events by themselves, within milliseconds. On SQLite, events that another process
    /// committed may take 250 ms.</remarks>
    /// <param name="cancellationToken">Cancels the call. Events then move later.</param>
    /// <returns>A position at or after those events. A reader that has reached it has them all.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.OutcomeUnknown"/>: the store
    /// failed. The events are kept, and a node moves them later.</exception>
    /// <exception cref="InvalidOperationException">The caller runs inside a unit of work of the same store.</exception>
    ValueTask<Position> FlushAsync(CancellationToken cancellationToken = default);
}
