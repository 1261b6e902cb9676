using System.Data;
using System.Data.Common;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Outbox;

/// <summary>The outbox of a store: adds rows to transactions of the application, and moves committed rows into the journal.
/// Thread-safe.</summary>
/// <remarks>
/// A move is one unit of work: it deletes rows and appends their events under the lock of all writers. A row is therefore moved once,
/// also if nodes end in between. An event that the journal does not accept goes to <c>dunlin_outbox_refused</c> and holds up no other.
/// </remarks>
internal sealed partial class StoreOutbox : IOutbox, IDisposable
{
    /// <summary>The maximum number of rows of one move, which limits the time for which it holds the lock of the writers.</summary>
    internal const int MaxRows = 1_000;

    /// <summary>The number of bytes of data with which a move ends. A batch of the usual 500 events has 100 KiB, so a move has some
    /// thousand events.</summary>
    private const int MaxBytes = 1024 * 1024;

    /// <summary>The number of rows in one statement: few enough for the smallest limit of parameters (999).</summary>
    private const int RowsPerInsert = 100;

    /// <summary>In place of the number of a node: looks even if another node moves rows.</summary>
    private const long AnyNode = -1;

    private readonly RelationalStore _store;
    private readonly ILogger _logger;
    private readonly OutboxInstruments _instruments;
    private readonly SharedFlush _flush;

    // Guards the gaps and _drawn: they follow the order of the looks.
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly OutboxGaps _gaps = new();
    private long _drawn;

    public StoreOutbox(RelationalStore store, ILogger<StoreOutbox> logger, IMeterFactory? meters = null)
    {
        _store = store;
        _logger = logger;
        _instruments = new OutboxInstruments(meters);
        _flush = new SharedFlush(FlushNowAsync);
    }

    /// <summary>Gets which rows the next look of this node reads.</summary>
    internal OutboxGaps Gaps => _gaps;

    /// <inheritdoc/>
    public async ValueTask AddAsync(
        DbConnection connection,
        DbTransaction? transaction,
        IReadOnlyList<EventDraft> drafts,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(connection);
        Check(drafts);
        await _store.OpenAsync(cancellationToken);
        for (var first = 0; first < drafts.Count; first += RowsPerInsert)
        {
            await using var command = Insert(connection, transaction, drafts, first);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        _store.WakeOutbox();
    }

    /// <inheritdoc/>
    public void Add(DbConnection connection, DbTransaction? transaction, IReadOnlyList<EventDraft> drafts)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Check(drafts);
        // Throws if the store is not open.
        _ = _store.Head;
        for (var first = 0; first < drafts.Count; first += RowsPerInsert)
        {
            using var command = Insert(connection, transaction, drafts, first);
            command.ExecuteNonQuery();
        }
        _store.WakeOutbox();
    }

    /// <inheritdoc/>
    public async ValueTask<Position> FlushAsync(CancellationToken cancellationToken = default)
    {
        _store.ThrowIfInUnit();
        return await _flush.RunAsync().WaitAsync(cancellationToken);
    }

    /// <summary>Looks for committed rows without the lock of the writers.</summary>
    /// <param name="node">The number of this node: the look is left out while another node moves rows.</param>
    /// <param name="cancellationToken">Cancels the look.</param>
    internal async ValueTask<OutboxLook> LookAsync(long node, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var (look, oldest, drawn) = await _store.LookUpAsync(
                (session, ct) =>
                    session
                        .Call("outbox_look")
                        .Number(_gaps.Highest)
                        .Text(_gaps.Json)
                        .Number(node)
                        .FindAsync(
                            static row =>
                                (new OutboxLook(row.Flag(0), row.Number(1)), (Age: row.Number(2), Oldest: row.Number(3)), row.Number(5)),
                            ct
                        ),
                cancellationToken
            );
            _instruments.Looked(look.Waiting, oldest.Age);
            if (_store.Dialect.IsShared && look is { IsOther: false, Waiting: 0 })
                _gaps.SeeNone(oldest.Oldest, await BoundAsync(_drawn > _gaps.Highest, cancellationToken), _drawn);
            // Read after the snapshot of this look was taken, so it counts from the next one.
            _drawn = drawn;
            return look;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Moves the first committed rows into the journal, at most <see cref="MaxRows"/>.</summary>
    internal async ValueTask<OutboxMove> MoveAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var move = await _store.WriteAsync((unit, ct) => MoveAsync((UnitOfWork)unit, ct), cancellationToken);
            if (_store.Dialect.IsShared)
            {
                var next = await BoundAsync(_gaps.IsAnyPassedOver(move.Numbers), cancellationToken);
                _gaps.Take(move.Numbers, move.Oldest, next, !move.IsFull);
            }
            _instruments.Moved(move.Events - move.Refused.Count, move.Refused.Count);
            foreach (var (id, reason) in move.Refused)
                LogRefused(id, reason);
            return move;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Claims to be the node that moves rows.</summary>
    /// <returns>False if another node is.</returns>
    internal async ValueTask<bool> ClaimAsync(long node, TimeSpan time, CancellationToken cancellationToken) =>
        await _store.LookUpAsync(
            (session, ct) =>
                session.Call("outbox_claim").Number(node).Number((long)time.TotalMilliseconds).FindAsync(static row => row.Number(0), ct),
            cancellationToken
        ) != 0;

    /// <summary>Ends the claim of a node.</summary>
    internal ValueTask<long> ReleaseAsync(long node, CancellationToken cancellationToken) =>
        _store.LookUpAsync(
            (session, ct) => session.Call("outbox_release").Number(node).FindAsync(static row => row.Number(0), ct),
            cancellationToken
        );

    public void Dispose()
    {
        _instruments.Dispose();
        _gate.Dispose();
    }

    private async Task<Position> FlushNowAsync()
    {
        // A row that another node moves now is visible until that move commits. The move below then waits for the lock.
        if ((await LookAsync(AnyNode, CancellationToken.None)).Waiting == 0)
            return await _store.ReadHeadAsync(CancellationToken.None);
        while (true)
        {
            var move = await MoveAsync(CancellationToken.None);
            if (!move.IsFull)
                return move.Head;
        }
    }

    private async ValueTask<OutboxMove> MoveAsync(UnitOfWork unit, CancellationToken cancellationToken)
    {
        var session = unit.Session;
        var rows = await session
            .Call("outbox_take")
            .Number(_gaps.Highest)
            .Text(_gaps.Json)
            .Number(MaxRows)
            .Number(MaxBytes)
            .ListAsync(static row => (Row: OutboxRow.Read(row, row.Number(0), 3), Oldest: row.Number(1)), cancellationToken);
        var refused = new List<(long, string)>();
        var (bytes, events) = (0L, 0);
        foreach (var (row, _) in rows.OrderBy(static taken => taken.Row.Number))
        {
            bytes += row.Data.Length;
            foreach (var (part, fault) in OutboxBatch.Expand(row))
            {
                events++;
                if ((fault ?? await AppendAsync(unit, part, cancellationToken)) is not { } reason)
                    continue;
                await part.AddTo(session.Call("outbox_refuse").Number(row.Id)).Text(reason).RunAsync(cancellationToken);
                refused.Add((row.Id, reason));
            }
        }
        var next = await unit.NextPositionAsync(cancellationToken);
        return new OutboxMove(
            [.. rows.Select(static taken => taken.Row.Number).Order()],
            rows.Count > 0 ? rows[0].Oldest : 0,
            rows.Count >= MaxRows || bytes >= MaxBytes,
            events,
            refused,
            next with
            {
                Offset = next.Offset - 1,
            }
        );
    }

    /// <summary>Returns an id that is larger than those of all transactions that have an id now. Reads none if it is not needed.</summary>
    /// <remarks>The end of a snapshot is no such id: it is the one after the last transaction that has ended, and running ones may have
    /// larger ids.</remarks>
    private async ValueTask<long> BoundAsync(bool isNeeded, CancellationToken cancellationToken) =>
        isNeeded
            ? await _store.LookUpAsync(
                (session, ct) => session.Call("outbox_bound").FindAsync(static row => row.Number(0), ct),
                cancellationToken
            )
            : 0;

    /// <summary>Appends the event of a row.</summary>
    /// <returns>The reason if the journal does not accept it; otherwise null.</returns>
    private static async ValueTask<string?> AppendAsync(UnitOfWork unit, OutboxRow row, CancellationToken cancellationToken)
    {
        try
        {
            await unit.AppendAsync(row.ToDraft(), cancellationToken);
            return null;
        }
        catch (Exception exception) when (exception is DunlinException or FormatException)
        {
            return exception.Message;
        }
    }

    /// <summary>Throws if the outbox does not accept the events.</summary>
    internal void Check(IReadOnlyList<EventDraft> drafts)
    {
        ArgumentNullException.ThrowIfNull(drafts);
        AppendRules.Check(drafts, idempotency: null);
        _store.CheckOutbox(drafts);
    }

    private DbCommand Insert(DbConnection connection, DbTransaction? transaction, IReadOnlyList<EventDraft> drafts, int first)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        var text = new StringBuilder($"INSERT INTO {_store.OutboxTable} ({OutboxRow.Columns}) VALUES ");
        for (var i = first; i < Math.Min(first + RowsPerInsert, drafts.Count); i++)
        {
            text.Append(i == first ? "(" : ", (");
            var values = OutboxRow.Values(drafts[i]);
            for (var column = 0; column < values.Length; column++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"@p{command.Parameters.Count}");
                // A null needs the type of its column.
                parameter.DbType = column is 2 or OutboxRow.ColumnCount - 1 ? DbType.Binary : DbType.String;
                parameter.Value = values[column] ?? DBNull.Value;
                command.Parameters.Add(parameter);
                text.Append(column == 0 ? "" : ", ").Append(parameter.ParameterName);
            }
            text.Append(')');
        }
#pragma warning disable CA2100 // the text has names of columns and parameters only
        command.CommandText = text.ToString();
#pragma warning restore CA2100
        return command;
    }

    [LoggerMessage(
        2091,
        LogLevel.Warning,
        "Row {Id} of the outbox was refused: {Reason} It is in the table dunlin_outbox_refused. Correct the program that published it."
    )]
    private partial void LogRefused(long id, PeerText reason);
}

/// <summary>The result of a look at the outbox.</summary>
/// <param name="IsOther">Whether another node moves rows now; this node then did not look.</param>
/// <param name="Waiting">The number of committed rows, up to 10,000.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct OutboxLook(bool IsOther, long Waiting);

/// <summary>The result of a move.</summary>
/// <param name="Numbers">The numbers of the rows, ascending.</param>
/// <param name="Oldest">The oldest transaction that ran at the time of the snapshot.</param>
/// <param name="IsFull">Whether a limit ended the move, so that more rows may wait.</param>
/// <param name="Events">The number of events in the rows.</param>
/// <param name="Refused">The ids of the rows that the journal did not accept, with the reasons.</param>
/// <param name="Head">The head of the journal after the move.</param>
internal sealed record OutboxMove(
    IReadOnlyList<long> Numbers,
    long Oldest,
    bool IsFull,
    int Events,
    IReadOnlyList<(long Id, string Reason)> Refused,
    Position Head
);
