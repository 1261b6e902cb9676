using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres.Leases;
using Dunlin.Postgres.Records;
using Dunlin.Records;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>One snapshot. <paramref name="position"/> was read from it, so it holds exactly what lies up to there.</summary>
internal sealed class PostgresReadScope(NpgsqlConnection connection, Position position, DateTimeOffset now) : IReadScope, ILeaseScope, IRecordScope
{
    private PostgresLeaseTable? _leases;
    private PostgresRecordTable? _records;
    private volatile bool _ended;

    public DbConnection Connection => Open();

    public ILeaseTable Leases => _leases ??= new PostgresLeaseTable(Open, isWritable: false);

    public Position Position => position;

    public DateTimeOffset Now => now;

    public IRecordTable Records => Table;

    public ISpaceAccessTable Access => Table;

    private PostgresRecordTable Table => _records ??= new PostgresRecordTable(Open, isWritable: false);

    public void End() => _ended = true;

    private NpgsqlConnection Open() => _ended
        ? throw new InvalidOperationException("The read scope has ended: it is valid inside its callback only.")
        : connection;
}
