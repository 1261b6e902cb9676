using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Relational.Moving;

namespace Dunlin.Relational;

/// <summary>Writes the journal of a store as JSON lines, for archives, programs and <see cref="JournalImport"/>. Thread-safe.</summary>
/// <remarks>The first line has the format, the epoch, and the first and last offset. A line for each event follows in journal order, then
/// the topics from which retention deleted events, then the number of events. Leases, records, accounts and idempotency keys are not
/// exported: <see cref="StoreMove"/> copies a whole store.</remarks>
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
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Writing);
        if (done.Header is not { } header)
        {
            header = await HeaderAsync(source, head, cancellationToken);
            Line(writer => JournalLine.Write(writer, header));
        }
        var (after, events) = (done.Through, done.Events);
        while (after < header.Last)
        {
            var page = await source.ReadAsync(new JournalQuery(after, null, PageSize), cancellationToken);
            foreach (var entry in page.Events.TakeWhile(entry => entry.Position.Offset <= header.Last))
            {
                Line(writer => JournalLine.Write(writer, entry));
                events++;
                if (buffer.WrittenCount > FlushBytes)
                    await FlushAsync();
            }
            after = Math.Min(page.Through, header.Last);
            await FlushAsync();
            progress?.Invoke(after, header.Last);
            if (!page.HasMore)
                break;
        }
        // After the events, so that a topic that retention shortened meanwhile is marked too. A mark without a gap only causes a reset.
        for (string? last = ""; last is not null; )
        {
            var topics = await source.LookUpAsync((session, ct) => session.TrimmedAsync(last, PageSize, ct), cancellationToken);
            foreach (var topic in topics)
                Line(writer => JournalLine.Write(writer, topic with { Through = Math.Min(topic.Through, header.Last) }));
            await FlushAsync();
            last = topics.Count == PageSize ? topics[^1].Name : null;
        }
        Line(writer => JournalLine.WriteEnd(writer, events));
        await FlushAsync();
        return events;

        void Line(Action<Utf8JsonWriter> write)
        {
            json.Reset();
            write(json);
            json.Flush();
            buffer.Write(NewLine);
        }

        async ValueTask FlushAsync()
        {
            await target.WriteAsync(buffer.WrittenMemory, cancellationToken);
            await target.FlushAsync(cancellationToken);
            buffer.ResetWrittenCount();
        }
    }

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
            if (read is not DunlinEvent entry)
                continue;
            whole += line.Length + 1;
            state = state with { Through = entry.Position.Offset, Events = state.Events + 1 };
        }
        target.SetLength(whole);
        target.Position = whole;
        return state;
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Interrupted(JournalHeader? Header, long Through, long Events, bool IsComplete);
}
