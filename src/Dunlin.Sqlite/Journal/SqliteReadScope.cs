using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Sqlite.Leases;
using Dunlin.Sqlite.Records;

namespace Dunlin.Sqlite.Journal;

/// <summary>One snapshot. <paramref name="position"/> was read before the snapshot was opened, so the snapshot holds at
/// least everything up to it; what it holds beyond comes again on a stream that resumes from there.</summary>
internal sealed class SqliteReadScope(Reader reader, Position position, DateTimeOffset now) : IReadScope, ILeaseScope, IRecordScope
{
    private SqliteLeaseTable? _leases;
    private SqliteRecordTable? _records;
    private volatile bool _ended;

    public DbConnection Connection => Open.Database.Connection;

    public ILeaseTable Leases => _leases ??= new SqliteLeaseTable(() => Open.Database, null);

    public Position Position => position;

    public DateTimeOffset Now => now;

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    private SqliteRecordTable Table => _records ??= new SqliteRecordTable(() => Open.Database, isWritable: false);

    private Reader Open => _ended
        ? throw new InvalidOperationException("The read scope has ended: it is valid inside its callback only.")
        : reader;

    public void End() => _ended = true;
}
