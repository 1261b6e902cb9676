using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Moving;

namespace Dunlin.Relational;

/// <summary>Writes the journal of a store as JSON lines, for archives, programs and <see cref="JournalImport"/>. Thread-safe.</summary>
/// <remarks>The first line has the format, the epoch, and the first and last offset. A line for each durable stream and producer follows,
/// then one for each event in journal order. The topics from which retention deleted events and the number of events are last. Leases,
/// records, accounts and idempotency keys are not exported: <see cref="StoreMove"/> copies a whole store.</remarks>
public static class JournalExport
{
    private const int PageSize = 1_000;
    private const int FlushBytes = 64 * 1024;

    private static readonly byte[] NewLine = "\n"u8.ToArray();

    // The lines are no HTML: characters outside ASCII stay readable.
    private static readonly JsonWriterOptions Writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Exports the events up to the head at the start of the call, and continues an interrupted export.</summary>
    /// <param name="source">The store. The call opens it.</param>
    /// <param name="target">Receives the lines. A target that can seek and contains an interrupted export is continued after its last
    /// whole line.</param>
    /// <param name="progress">Receives the last exported offset and the last offset to export, after each page. Default: null.</param>
    /// <param name="cancellationToken">Cancels the export. A later call with the same target continues it.</param>
    /// <returns>The number of events in the target.</returns>
    /// <exception cref="FormatException">The target contains something else, or a damaged line.</exception>
    /// <exception cref="InvalidOperationException">The target contains the export of another journal.</exception>
    /// <exception cref="IOException">The target cannot be written.</exception>
    /// <exception cref="Diagnostics.DunlinException">The store cannot be read.</exception>
    public static async Task<long> RunAsync(
        RelationalStore source,
        Stream target,
        Action<long, long>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        await source.OpenAsync(cancellationToken);
        var head = await source.ReadHeadAsync(cancellationToken);
        var done = target is { CanSeek: true, Length: > 0 } ? await ContinueAsync(target, head, cancellationToken) : default;
        if (done.IsComplete)
            return done.Events;
        using var lines = new LineWriter(target);
        var header = done.Header ?? await BeginAsync(source, lines, cancellationToken);
        var (after, events) = (done.Through, done.Events);
        while (after < header.Last)
        {
            var page = await source.ReadAsync(new JournalQuery(after, null, PageSize), cancellationToken);
            foreach (var entry in page.Events.TakeWhile(entry => entry.Position.Offset <= header.Last))
            {
                await lines.AddAsync(writer => JournalLine.Write(writer, entry), cancellationToken);
                events++;
            }
            after = Math.Min(page.Through, header.Last);
            await lines.FlushAsync(cancellationToken);
            progress?.Invoke(after, header.Last);
            if (!page.HasMore)
                break;
        }
        // After the events, so that a topic that retention shortened meanwhile is marked too. A mark without a gap only causes a reset.
        for (string? last = ""; last is not null; )
        {
            var topics = await source.LookUpAsync((session, ct) => session.TrimmedAsync(last, PageSize, ct), cancellationToken);
            foreach (var topic in topics)
            {
                var mark = topic with { Through = Math.Min(topic.Through, header.Last) };
                await lines.AddAsync(writer => JournalLine.Write(writer, mark), cancellationToken);
            }
            last = topics.Count == PageSize ? topics[^1].Name : null;
        }
        await lines.AddAsync(writer => JournalLine.WriteEnd(writer, events), cancellationToken);
        await lines.FlushAsync(cancellationToken);
        return events;
    }

    /// <summary>Writes the header and the rows that belong to the journal.</summary>
    /// <remarks>Both are of one snapshot: a producer must not count an append that the file does not have.</remarks>
    private static ValueTask<JournalHeader> BeginAsync(RelationalStore source, LineWriter lines, CancellationToken cancellationToken) =>
        source.ReadAsync(
            async (scope, ct) =>
            {
                var header = await HeaderAsync(source, scope.Position, ct);
                await lines.AddAsync(writer => JournalLine.Write(writer, header), ct);
                await TransferTables.ReadAsync(((ReadScope)scope).Session, row => lines.AddAsync(row.Write, ct), ct);
                return header;
            },
            cancellationToken
        );

    private static async Task<JournalHeader> HeaderAsync(RelationalStore source, Position head, CancellationToken cancellationToken)
    {
        var page = await source.ReadAsync(new JournalQuery(0, null, 1), cancellationToken);
        return new JournalHeader(head.Epoch, page.Events is [var first, ..] ? first.Position.Offset : 0, head.Offset);
    }

    /// <summary>Reads an interrupted export, and cuts off its marks and a last line without an end.</summary>
    private static async Task<Interrupted> ContinueAsync(Stream target, Position head, CancellationToken cancellationToken)
    {
        target.Position = 0;
        var state = default(Interrupted);
        long whole = 0;
        await foreach (var (number, line) in JournalLines.ReadAsync(target, isWhole: false, cancellationToken))
        {
            if (number == 1)
            {
                var header = JournalLines.At(number, () => JournalLine.ReadHeader(line));
                if (header.Epoch != head.Epoch || header.Last > head.Offset)
                    throw new InvalidOperationException("The file contains the export of another journal. Choose another file.");
                state = state with { Header = header };
                whole += line.Length + 1;
                continue;
            }
            var read = JournalLines.At(number, () => JournalLine.Read(line));
            if (read is long)
                return state with { IsComplete = true };
            if (read is TableRow)
                whole += line.Length + 1;
            if (read is not DunlinEvent entry)
                continue;
            whole += line.Length + 1;
            state = state with { Through = entry.Position.Offset, Events = state.Events + 1 };
        }
        // Rows that are not followed by an event may be of an incomplete list, and the journal may have changed since: begin again.
        if (state.Events == 0)
            (state, whole) = (default, 0);
        target.SetLength(whole);
        target.Position = whole;
        return state;
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Interrupted(JournalHeader? Header, long Through, long Events, bool IsComplete);

    private sealed class LineWriter(Stream target) : IDisposable
    {
        private readonly ArrayBufferWriter<byte> _buffer = new();
        private Utf8JsonWriter? _json;

        public async ValueTask AddAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
        {
            _json ??= new Utf8JsonWriter(_buffer, Writing);
            _json.Reset();
            write(_json);
            _json.Flush();
            _buffer.Write(NewLine);
            if (_buffer.WrittenCount > FlushBytes)
                await FlushAsync(cancellationToken);
        }

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            await target.WriteAsync(_buffer.WrittenMemory, cancellationToken);
            await target.FlushAsync(cancellationToken);
            _buffer.ResetWrittenCount();
        }

        public void Dispose() => _json?.Dispose();
    }
}
