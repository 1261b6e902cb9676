using System.Buffers.Binary;
using System.Security.Cryptography;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Moving;

namespace Dunlin.Relational;

/// <summary>Reads the lines of <see cref="JournalExport"/> into the empty journal of a store. Thread-safe.</summary>
/// <remarks>Events keep their order, topic, type, data, origin and time. Durable streams keep their state, producers and forks. Readers are
/// not notified: import before the servers start.</remarks>
public static class JournalImport
{
    private const int BatchEvents = 500;
    private const int BatchBytes = 1024 * 1024;

    /// <summary>Imports a journal in transactions of at most 500 events, and continues an interrupted import of the same file.</summary>
    /// <param name="target">The store, with an empty journal or an interrupted import. The call opens it. Dispose it afterwards: it caches
    /// its earlier state.</param>
    /// <param name="source">The lines.</param>
    /// <param name="keepPositions">Whether offsets and epoch stay the same, so that readers of the exported journal resume here. Otherwise
    /// offsets start at 1 and the target keeps its own epoch.</param>
    /// <param name="progress">Receives the last imported offset and the last offset of the file, after each transaction. Default:
    /// null.</param>
    /// <param name="cancellationToken">Cancels the import. A later call with the same lines continues it.</param>
    /// <returns>The number of events in the journal.</returns>
    /// <exception cref="FormatException">A line is invalid, or the file is incomplete. The message contains the number of the line. The
    /// import can continue with a corrected file that has the same first line.</exception>
    /// <exception cref="InvalidOperationException">The target has events or durable streams that are not of an interrupted import of this
    /// file. Or the file has durable streams, and <paramref name="keepPositions"/> is false.</exception>
    /// <exception cref="System.Data.Common.DbException">The database cannot store a line, for example NUL in PostgreSQL.</exception>
    /// <exception cref="Diagnostics.DunlinException">The store failed.</exception>
    public static async Task<long> RunAsync(
        RelationalStore target,
        Stream source,
        bool keepPositions = false,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(source);
        await target.OpenAsync(cancellationToken);
        Import? import = null;
        await foreach (var (number, line) in JournalLines.ReadAsync(source, isWhole: true, cancellationToken))
        {
            if (import is null)
            {
                var header = JournalLines.At(number, () => JournalLine.ReadHeader(line));
                var found = await target.LookUpAsync((session, ct) => session.FindImportAsync(ct), cancellationToken);
                import = new Import(target, header, IdOf(line, keepPositions), keepPositions, found, progress);
                await import.BeginAsync(cancellationToken);
                continue;
            }
            await import.AddAsync(number, JournalLines.At(number, () => JournalLine.Read(line)), cancellationToken);
        }
        if (import is null)
            throw new FormatException("The file is empty: it has no header.");
        return await import.CompleteAsync(cancellationToken);
    }

    // An identifier of the file and the mode: 63 bits, because counters are positive.
    private static long IdOf(byte[] header, bool keepPositions) =>
        (BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData([.. header, keepPositions ? (byte)1 : (byte)0])) & long.MaxValue) | 1;

    private sealed class Import(
        RelationalStore target,
        JournalHeader header,
        long id,
        bool keepPositions,
        ImportState found,
        Action<long, long>? progress
    )
    {
        private readonly List<DunlinEvent> _batch = [];
        private readonly List<TableRow> _rows = [];
        private readonly List<TrimmedTopic> _trimmed = [];
        private readonly long _skipThrough = Check(found, id);
        private int _bytes;
        private long _last;
        private long _events;
        private long _imported;
        private bool _hasRows;
        private bool _isComplete;

        public async ValueTask BeginAsync(CancellationToken cancellationToken)
        {
            if (found.Source != id && !await target.LookUpAsync(TransferTables.AreEmptyAsync, cancellationToken))
                throw NotEmpty();
        }

        public async ValueTask AddAsync(long number, object line, CancellationToken cancellationToken)
        {
            if (_isComplete)
                throw new FormatException($"Line {number} follows the last line of the export.");
            switch (line)
            {
                case TableRow row:
                    await AddAsync(number, row, cancellationToken);
                    break;
                case DunlinEvent entry:
                    if (_rows.Count > 0)
                        await SaveRowsAsync(cancellationToken);
                    await AddAsync(number, entry, cancellationToken);
                    break;
                case TrimmedTopic topic:
                    _trimmed.Add(topic);
                    break;
                case long events when events == _events:
                    _isComplete = true;
                    break;
                default:
                    throw new FormatException($"Line {number}: the file has {_events} events, but {line} were exported.");
            }
        }

        public async Task<long> CompleteAsync(CancellationToken cancellationToken)
        {
            if (!_isComplete)
                throw new FormatException($"The file is incomplete: it ends after {_events} events. Run the export again to complete it.");
            if (_rows.Count > 0)
                await SaveRowsAsync(cancellationToken);
            await SaveAsync(isLast: true, cancellationToken);
            return _events;
        }

        private async ValueTask AddAsync(long number, DunlinEvent entry, CancellationToken cancellationToken)
        {
            var offset = entry.Position.Offset;
            if (offset <= _last || offset > header.Last)
            {
                throw new FormatException(
                    $"Line {number}: offset {offset} must be after the one of the line before ({_last}) and at most {header.Last}."
                );
            }
            (_last, _events) = (offset, _events + 1);
            if (offset <= _skipThrough)
            {
                if (offset == _skipThrough && found.Head != (keepPositions ? offset : _events))
                    throw NotEmpty();
                return;
            }
            _batch.Add(entry);
            _bytes += entry.Data.Length;
            if (_batch.Count >= BatchEvents || _bytes >= BatchBytes)
                await SaveAsync(isLast: false, cancellationToken);
        }

        private async ValueTask AddAsync(long number, TableRow row, CancellationToken cancellationToken)
        {
            if (!keepPositions)
                throw new InvalidOperationException(
                    "The file has durable streams, whose readers know their offsets. Import it with its positions (--keep-positions)."
                );
            if (_events > 0 || _trimmed.Count > 0)
                throw new FormatException($"Line {number}: rows of the table '{row.Table}' must be before the first event.");
            // All rows were committed before the first event.
            if (_skipThrough > 0)
                return;
            _rows.Add(row);
            if (_rows.Count >= BatchEvents)
                await SaveRowsAsync(cancellationToken);
        }

        private async Task SaveRowsAsync(CancellationToken cancellationToken)
        {
            await target.WriteAsync(
                async (unit, ct) =>
                {
                    var session = ((UnitOfWork)unit).Session;
                    if ((await session.FindImportAsync(ct)).Head != 0)
                        throw NotEmpty();
                    // Rows of an import that stopped before its first event.
                    if (!_hasRows)
                        await TransferTables.ClearAsync(session, ct);
                    await TransferTables.InsertAsync(session, _rows, ct);
                    await session.Call("import_save").Number(id).Number(0).RunAsync(ct);
                    return true;
                },
                cancellationToken
            );
            _hasRows = true;
            _rows.Clear();
        }

        private async Task SaveAsync(bool isLast, CancellationToken cancellationToken)
        {
            var before = _events - _batch.Count;
            await target.WriteAsync(
                async (unit, ct) =>
                {
                    var session = ((UnitOfWork)unit).Session;
                    // Another import, or a server, may have written since the last batch.
                    var now = await session.FindImportAsync(ct);
                    if (now.Head != (keepPositions ? Previous() : before))
                        throw NotEmpty();
                    if (_batch.Count > 0)
                        await session.ImportAsync(_batch, keepPositions ? null : before + 1, ct);
                    if (!isLast)
                        await session.Call("import_save").Number(id).Number(_last).RunAsync(ct);
                    else if (keepPositions)
                        await session.EndImportAsync(_trimmed, header, ct);
                    else
                        await session.EndImportAsync([], null, ct);
                    return true;
                },
                cancellationToken
            );
            _imported = _batch is [.., var last] ? last.Position.Offset : _imported;
            _batch.Clear();
            _bytes = 0;
            progress?.Invoke(_last, header.Last);
        }

        private long Previous() => _imported == 0 ? _skipThrough : _imported;

        private static long Check(ImportState found, long id) =>
            found.Head == 0 ? 0
            : found.Source == id ? found.Through
            : throw NotEmpty();

        private static InvalidOperationException NotEmpty() =>
            new(
                "The journal is not empty, and its events or streams are not of an interrupted import of this file. Import into a new database."
            );
    }
}
