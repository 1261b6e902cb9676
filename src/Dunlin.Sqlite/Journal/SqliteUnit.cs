using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Sqlite.Leases;
using Dunlin.Sqlite.Records;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>One unit of work: a savepoint in the writer's open transaction.</summary>
internal sealed class SqliteUnit(WriterSession session) : RunningUnit, IUnitOfWork, ILeaseScope, IRecordScope
{
    private SqliteLeaseTable? _leases;
    private SqliteRecordTable? _records;

    public DbConnection Connection => Open.Database.Connection;

    public DbTransaction Transaction => Open.Transaction!;

    public DateTimeOffset Now { get; } = session.Clock.Now;

    public ILeaseTable Leases => _leases ??= new SqliteLeaseTable(() => Open.Database, () => Open.NextFence());

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    private SqliteRecordTable Table => _records ??= new SqliteRecordTable(() => Open.Database, isWritable: true);

    private WriterSession Open
    {
        get
        {
            ThrowIfEnded();
            return session;
        }
    }

    public ValueTask<Position> AppendAsync(EventDraft draft, CancellationToken cancellationToken = default)
    {
        AppendRules.Check(draft);
        return new(Open.Append(draft));
    }

    public ValueTask<Position> NextPositionAsync(CancellationToken cancellationToken = default) => new(Open.NextPosition);

    /// <summary>Stops the statement that runs now, if any; from another thread.</summary>
    public void Interrupt() => raw.sqlite3_interrupt(session.Database.Handle);
}
