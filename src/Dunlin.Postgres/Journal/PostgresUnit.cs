using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres.Leases;
using Dunlin.Postgres.Records;
using Dunlin.Records;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>One unit of work: a savepoint in the writer's open transaction, which holds the lock of all writers.</summary>
internal sealed class PostgresUnit(WriterSession session) : RunningUnit, IUnitOfWork, ILeaseScope, IRecordScope
{
    private PostgresLeaseTable? _leases;
    private PostgresRecordTable? _records;

    public DbConnection Connection => Open.Connection;

    public DbTransaction Transaction => Open.Transaction;

    public DateTimeOffset Now { get; } = session.Now;

    public ILeaseTable Leases => _leases ??= new PostgresLeaseTable(Database, isWritable: true);

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    private PostgresRecordTable Table => _records ??= new PostgresRecordTable(Database, isWritable: true);

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
        TextRules.Check(draft);
        return new(Open.Append(draft));
    }

    public ValueTask<Position> NextPositionAsync(CancellationToken cancellationToken = default) => new(Open.NextPosition);

    private NpgsqlConnection Database() => Open.Connection;
}
