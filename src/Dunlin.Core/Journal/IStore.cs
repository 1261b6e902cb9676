using System.Data.Common;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>
/// Runs units of work and reads against the database that holds the journal, the leases and the application's tables. Thread-safe.
/// </summary>
/// <remarks>
/// An implementation must guarantee that a unit of work is atomic and serialisable, that its result is returned after the commit is
/// durable, and that each read sees one snapshot.
/// </remarks>
/// <example>
/// <code>
/// var position = await store.WriteAsync(async (unit, ct) =>
/// {
/// await unit.Connection.ExecuteAsync("UPDATE ...", transaction: unit.Transaction); // Dapper
/// return await unit.AppendAsync(EventDraft.Of(topic, "case.updated", change), ct);
/// }, cancellationToken);
/// </code>
/// </example>
public interface IStore
{
    /// <summary>
    /// Runs <paramref name="work"/> in one transaction and commits it. If <paramref name="work"/> throws, the transaction is rolled back
    /// and the exception is passed on.
    /// </summary>
    /// <remarks>
    /// The store may run <paramref name="work"/> on another thread. It must wait for nothing but the store: the embedded store runs one
    /// unit at a time.
    /// </remarks>
    /// <param name="work">The work to run in the transaction.</param>
    /// <param name="cancellationToken">Abandons the unit of work if its commit has not begun.</param>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <returns>The result of <paramref name="work"/>, after the commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: nothing was committed.
    /// <see cref="ErrorCode.OutcomeUnknown"/>: the store was lost during the commit.</exception>
    /// <exception cref="InvalidOperationException">The caller runs inside a unit of work of the same store.</exception>
    ValueTask<T> WriteAsync<T>(Func<IUnitOfWork, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken = default);

    /// <summary>Runs <paramref name="read"/> on one snapshot.</summary>
    /// <param name="read">The read to run.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <returns>The result of <paramref name="read"/>.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the store cannot be read.</exception>
    ValueTask<T> ReadAsync<T>(Func<IReadScope, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken = default);
}

/// <summary>
/// One transaction: the application's rows, lease checks and events commit together. Not thread-safe, and valid inside the callback only.
/// </summary>
/// <remarks>
/// Use Dapper or EF Core through <see cref="Connection"/> and <see cref="Transaction"/>. Never commit or roll back the transaction: throw
/// to roll back.
/// </remarks>
public interface IUnitOfWork
{
    /// <summary>Gets the connection of the transaction.</summary>
    /// <exception cref="NotSupportedException">The store has no database (the in-memory store).</exception>
    DbConnection Connection { get; }

    /// <summary>Gets the open transaction.</summary>
    /// <exception cref="NotSupportedException">The store has no database (the in-memory store).</exception>
    DbTransaction Transaction { get; }

    /// <summary>Gets the time of this transaction (UTC), by the clock that decides lease expiry.</summary>
    DateTimeOffset Now { get; }

    /// <summary>Appends an event and returns its position, which can serve as the version of the changed rows.</summary>
    /// <remarks>
    /// The event is announced if and only if the transaction commits. Append late in the unit of work: some stores block other writers from
    /// the first append to the commit.
    /// </remarks>
    /// <param name="draft">The event.</param>
    /// <param name="cancellationToken">Cancels the append.</param>
    /// <returns>The position that the event has once the transaction commits.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>: the data has more than <see cref="JournalLimits.MaxDataBytes"/>
    /// bytes.</exception>
    ValueTask<Position> AppendAsync(EventDraft draft, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the position that the next <see cref="AppendAsync"/> of this unit will return, for events that contain their own version.
    /// </summary>
    /// <remarks>Some stores block other writers from this call to the commit, as for an append.</remarks>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<Position> NextPositionAsync(CancellationToken cancellationToken = default);
}

/// <summary>One consistent snapshot. Not thread-safe, and valid inside the callback only.</summary>
public interface IReadScope
{
    /// <summary>Gets a read-only connection; writes fail.</summary>
    /// <exception cref="NotSupportedException">The store has no database (the in-memory store).</exception>
    DbConnection Connection { get; }

    /// <summary>
    /// Gets a position such that the snapshot holds at least every event up to it. A stream that resumes from it has no gap.
    /// </summary>
    Position Position { get; }

    /// <summary>Gets the time (UTC), by the clock that decides lease expiry.</summary>
    DateTimeOffset Now { get; }
}
