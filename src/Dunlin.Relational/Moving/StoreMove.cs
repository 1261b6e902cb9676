using System.Data.Common;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Outbox;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational;

/// <summary>Copies a whole store to an empty one, of the same or another database. Thread-safe.</summary>
/// <remarks>The copy includes the journal, leases, records, accounts, sessions and the tables of the application. Positions and the epoch
/// stay the same, so open streams resume. Tickets and secrets, which only shared databases have, are not copied.</remarks>
public static class StoreMove
{
    /// <summary>Copies the store. It reads the source in one snapshot and does not change it. The target receives all rows in one
    /// transaction, or none. Dispose both stores afterwards: they cache their earlier state.</summary>
    /// <param name="source">The store to read. Its <c>ReadLimit</c> must exceed the duration of the copy.</param>
    /// <param name="target">The empty store, with the schemas of the source. Its <c>WriteLimit</c> must exceed the duration of the
    /// copy.</param>
    /// <param name="progress">Receives the table, the number of rows copied and the number of rows to copy, after each 1,000 rows and at
    /// the end of a table. It runs on any thread. Default: null.</param>
    /// <param name="cancellationToken">Cancels the copy; the target stays empty.</param>
    /// <returns>The number of rows copied.</returns>
    /// <exception cref="InvalidOperationException">The target has events or lacks a table or column of the source, or references between
    /// its tables form a cycle.</exception>
    /// <exception cref="DbException">A row does not fit into the target.</exception>
    /// <exception cref="Diagnostics.DunlinException">A store failed, or a limit was too short.</exception>
    public static async Task<long> RunAsync(
        RelationalStore source,
        RelationalStore target,
        Action<string, long, long>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        await source.OpenAsync(cancellationToken);
        await target.OpenAsync(cancellationToken);
        if (target.Head.Offset != 0)
            throw new InvalidOperationException("The target is not empty: its journal has events. Move into a new database.");
        progress ??= static (_, _, _) => { };
        return await source.ReadAsync(
            (from, _) =>
                target.WriteAsync(
                    (to, ct) => CopyAsync(((ReadScope)from).Session, ((UnitOfWork)to).Session, progress, ct),
                    cancellationToken
                ),
            cancellationToken
        );
    }

    private static async ValueTask<long> CopyAsync(
        ISqlSession from,
        ISqlSession to,
        Action<string, long, long> progress,
        CancellationToken cancellationToken
    )
    {
        await to.Call("move_begin").RunAsync(cancellationToken);
        var tables = await from.Call("table_list").ListAsync(static row => row.Text(0), cancellationToken);
        var references = await to.Call("table_references")
            .ListAsync(static row => (Table: row.Text(0), To: row.Text(1)), cancellationToken);
        long all = 0;
        foreach (var table in InOrder(tables, references))
            all += await CopyAsync(from, to, table, progress, cancellationToken);
        all += await CopyOutboxAsync(from, to, progress, cancellationToken);
        var token = await from.Call("move_fence").FindAsync(static row => row.Number(0), cancellationToken);
        await to.Call("move_end").Number(token).RunAsync(cancellationToken);
        return all;
    }

    private static async ValueTask<long> CopyAsync(
        ISqlSession from,
        ISqlSession to,
        string table,
        Action<string, long, long> progress,
        CancellationToken cancellationToken
    )
    {
        var columns = await to.Call("table_columns")
            .Text(table)
            .ListAsync(static row => new SqlColumn(row.Text(0), row.Text(1)), cancellationToken);
        if (columns.Count == 0)
            throw new InvalidOperationException($"The target has no table '{table}'. Nothing was moved.");
        await using var command = from.Connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM \"{table}\"";
        var total = Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), System.Globalization.CultureInfo.InvariantCulture);
        command.CommandText = $"SELECT {string.Join(", ", columns.Select(column => $"\"{column.Name}\""))} FROM \"{table}\"";
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var copied = await to.InsertAsync(
            table,
            columns,
            rows,
            done =>
            {
                if (done % 1_000 == 0)
                    progress(table, done, total);
            },
            cancellationToken
        );
        progress(table, copied, total);
        return copied;
    }

    /// <summary>Copies the rows of the outbox, which the journal does not have yet, in their order.</summary>
    private static async ValueTask<long> CopyOutboxAsync(
        ISqlSession from,
        ISqlSession to,
        Action<string, long, long> progress,
        CancellationToken cancellationToken
    )
    {
        long copied = 0;
        for (long after = 0; ; )
        {
            var rows = await from.Call("outbox_list")
                .Number(after)
                .ListAsync(static row => OutboxRow.Read(row, row.Number(0), 1), cancellationToken);
            if (rows.Count == 0)
                break;
            foreach (var row in rows)
                await row.AddTo(to.Call("outbox_add")).RunAsync(cancellationToken);
            (after, copied) = (rows[^1].Number, copied + rows.Count);
        }
        progress("dunlin_outbox", copied, copied);
        return copied;
    }

    /// <summary>Returns each table after the tables that it references, because the database checks a reference when it inserts the
    /// row.</summary>
    private static IEnumerable<string> InOrder(IReadOnlyList<string> tables, IReadOnlyList<(string Table, string To)> references)
    {
        var left = tables.ToList();
        while (left.Count > 0)
        {
            var next =
                left.Find(table => !references.Any(r => r.Table == table && r.To != table && left.Contains(r.To)))
                ?? throw new InvalidOperationException(
                    $"The tables {string.Join(", ", left)} have foreign keys that form a cycle and cannot be copied."
                );
            left.Remove(next);
            yield return next;
        }
    }
}
