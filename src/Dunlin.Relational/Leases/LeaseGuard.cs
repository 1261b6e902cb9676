using System.Data.Common;
using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Leases;

/// <summary>Checks leases in transactions that the application runs itself. Thread-safe.</summary>
/// <remarks>With a lock, the row cannot change before the transaction ends, so the lease cannot pass to another owner. Writers of the store
/// that change the row wait meanwhile: lock it just before the commit. SQLite needs no lock, because a transaction that has written is the
/// only writer.</remarks>
internal sealed class LeaseGuard(RelationalStore store)
{
    /// <summary>Throws unless the claim holds its resource.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LeaseLost"/>: the claim does not hold the lease.
    /// <see cref="ErrorCode.InvalidField"/>: the claim is malformed.</exception>
    /// <exception cref="DbException">The database refused the query.</exception>
    public async ValueTask RequireAsync(
        DbConnection connection,
        DbTransaction? transaction,
        LeaseClaim claim,
        bool isLocked,
        CancellationToken cancellationToken
    )
    {
        LeaseChecks.Check(claim);
        await store.OpenAsync(cancellationToken);
        await using var command = Find(connection, transaction, claim, isLocked);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        Check(await reader.ReadAsync(cancellationToken) ? LeaseTable.Read(new ReaderRow(reader)) : null, claim);
    }

    /// <summary>Checks as <see cref="RequireAsync"/>, and blocks the thread meanwhile.</summary>
    public void Require(DbConnection connection, DbTransaction? transaction, LeaseClaim claim, bool isLocked)
    {
        LeaseChecks.Check(claim);
        // Throws if the store is not open.
        _ = store.Head;
        using var command = Find(connection, transaction, claim, isLocked);
        using var reader = command.ExecuteReader();
        Check(reader.Read() ? LeaseTable.Read(new ReaderRow(reader)) : null, claim);
    }

    private DbCommand Find(DbConnection connection, DbTransaction? transaction, LeaseClaim claim, bool isLocked)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        var resource = command.CreateParameter();
        (resource.ParameterName, resource.Value) = ("@resource", claim.Resource.Value);
        command.Parameters.Add(resource);
        var suffix = isLocked && store.Dialect.IsShared ? " FOR SHARE" : "";
#pragma warning disable CA2100 // the text has names of columns and the table only
        command.CommandText = $"SELECT {LeaseTable.Columns} FROM {store.LeaseTableName} WHERE resource = @resource{suffix}";
#pragma warning restore CA2100
        return command;
    }

    // The time is read after the lock was acquired, which may have taken long.
    private void Check(LeaseRow? row, LeaseClaim claim)
    {
        var now = store.Now;
        if (LeaseClaimCheck.LossOf(row, claim, now) is { } reason)
            throw LeaseErrors.Lost(row?.IsHeldAt(now) == true ? LeaseInfo.Of(row) : null, claim.Resource, reason);
    }

    private sealed class ReaderRow(DbDataReader reader) : ISqlRow
    {
        public bool IsNull(int column) => reader.IsDBNull(column);

        public long Number(int column) => Convert.ToInt64(reader.GetValue(column), CultureInfo.InvariantCulture);

        public string Text(int column) => reader.GetString(column);

        public byte[] Bytes(int column) => (byte[])reader.GetValue(column);

        public bool Flag(int column) => Number(column) != 0;
    }
}
