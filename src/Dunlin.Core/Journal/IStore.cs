using System.Data.Common;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>
/// Runs units of work and reads against the one database that holds the journal, the leases and the application's own
/// tables. The implementer's duty: a unit of work commits whole or not at all and is isolated as if alone
/// (serialisable); its answer is given only after the commit is durable; readers see one snapshot.
/// </summary>
public interface IStore
{
    /// <summary>Runs <paramref name="work"/> in one transaction and commits it. An exception rolls it back and is passed on.
    /// The work may be run by another thread and must not wait for anything but the store: the embedded store runs one at a time.</summary>
    /// <returns>What the work returned, after the commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: nothing was committed.
    /// <see cref="ErrorCode.OutcomeUnknown"/>: the store was lost during the commit.</exception>
    ValueTask<T> WriteAsync<T>(Func<IUnitOfWork, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken = default);

    /// <summary>Runs <paramref name="read"/> on one snapshot.</summary>
    ValueTask<T> ReadAsync<T>(Func<IReadScope, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken = default);
}

/// <summary>
/// One transaction: the application's rows, the lease checks and the events of the change commit together (G1). Valid
/// inside the callback only, and not for concurrent use. Join it with Dapper or EF Core through <see cref="Connection"/>
/// and <see cref="Transaction"/>; never commit or roll back the transaction yourself: throw instead.
/// </summary>
public interface IUnitOfWork
{
    /// <summary>The connection of the transaction.</summary>
    /// <exception cref="NotSupportedException">The store has no database (in memory).</exception>
    DbConnection Connection { get; }

    /// <summary>The open transaction.</summary>
    /// <exception cref="NotSupportedException">The store has no database (in memory).</exception>
    DbTransaction Transaction { get; }

    /// <summary>The time of this transaction, by the clock that judges leases.</summary>
    DateTimeOffset Now { get; }

    /// <summary>Appends an event and tells its position at once, so that it can serve as the version of the rows changed.
    /// It is announced when, and only when, the transaction commits. Append late in the work: some stores keep other
    /// writers waiting from the first append to the commit.</summary>
    ValueTask<Position> AppendAsync(EventDraft draft, CancellationToken cancellationToken = default);

    /// <summary>The position that the next <see cref="AppendAsync"/> of this unit will return, for events that carry the
    /// version they make. Like an append, it may keep other writers waiting until the commit.</summary>
    ValueTask<Position> NextPositionAsync(CancellationToken cancellationToken = default);
}

/// <summary>One consistent snapshot. Valid inside the callback only, and not for concurrent use.</summary>
public interface IReadScope
{
    /// <summary>A connection for reading; writes on it fail.</summary>
    /// <exception cref="NotSupportedException">The store has no database (in memory).</exception>
    DbConnection Connection { get; }

    /// <summary>
    /// The snapshot holds at least everything up to here: a stream resumed from this position continues it without a gap.
    /// </summary>
    Position Position { get; }

    /// <summary>The time, by the clock that judges leases.</summary>
    DateTimeOffset Now { get; }
}
