using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Moving;

/// <summary>Calls the statements of exports and imports. Rows are passed as one JSON text, because one call for each row would need a round
/// trip for each.</summary>
internal static class TransferStatements
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ValueTask<IReadOnlyList<TrimmedTopic>> TrimmedAsync(
        this ISqlSession session,
        string after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        session
            .Call("export_trimmed")
            .Text(after)
            .Number(limit)
            .ListAsync(static row => new TrimmedTopic(row.Text(0), row.Number(1)), cancellationToken);

    public static async ValueTask<ImportState> FindImportAsync(this ISqlSession session, CancellationToken cancellationToken) =>
        (
            await session
                .Call("import_find")
                .FindAsync(static row => new ImportState(row.Number(0), row.Number(1), row.Number(2)), cancellationToken)
        )!;

    /// <summary>Inserts events with their own offsets, or with offsets from <paramref name="first"/>.</summary>
    public static async ValueTask ImportAsync(
        this ISqlSession session,
        IReadOnlyList<DunlinEvent> events,
        long? first,
        CancellationToken cancellationToken
    )
    {
        var topics = events
            .SelectMany(static entry => entry.AlsoOn.Prepend(entry.Topic), static (_, topic) => topic.Value)
            .Distinct(StringComparer.Ordinal);
        await session
            .Call("import_topics")
            .Text(Array(topics, static (json, topic) => json.WriteStringValue(topic)))
            .RunAsync(cancellationToken);
        var rows = Array(
            events.Select((entry, i) => (entry, Offset: first + i ?? entry.Position.Offset)),
            static (json, row) =>
            {
                json.WriteStartArray();
                json.WriteNumberValue(row.Offset);
                json.WriteStringValue(row.entry.Topic.Value);
                json.WriteStringValue(row.entry.Type);
                json.WriteStringValue(Convert.ToHexString(row.entry.Data.Span));
                json.WriteStringValue(row.entry.Origin?.UserId);
                json.WriteStringValue(row.entry.Origin?.SessionId);
                json.WriteStringValue(row.entry.Origin?.ConnectionId);
                json.WriteStringValue(row.entry.Origin?.DeviceId);
                json.WriteNumberValue(row.entry.Time.ToUnixTimeMilliseconds());
                json.WriteStringValue(row.entry.EncodedExtra is { } extra ? Convert.ToHexString(extra) : null);
                json.WriteEndArray();
            }
        );
        await session.Call("import_events").Text(rows).RunAsync(cancellationToken);
        var numbered = events.Select((entry, i) => (Entry: entry, Offset: first + i ?? entry.Position.Offset)).ToList();
        var topicRows = numbered
            .SelectMany(static row => row.Entry.AlsoOn, static (row, topic) => (row.Offset, Text: topic.Value))
            .ToList();
        if (topicRows.Count > 0)
            await session.Call("event_topics_add").Text(Array(topicRows, WritePair)).RunAsync(cancellationToken);
        var idRows = numbered
            .Where(static row => row.Entry.ForeignId is not null)
            .Select(static row => (row.Offset, Text: row.Entry.ForeignId!))
            .ToList();
        if (idRows.Count > 0)
            await session.Call("event_ids_add").Text(Array(idRows, WritePair)).RunAsync(cancellationToken);
    }

    /// <summary>Completes an import. With a header, the journal takes over its epoch and its last offset.</summary>
    public static async ValueTask EndImportAsync(
        this ISqlSession session,
        IReadOnlyList<TrimmedTopic> trimmed,
        JournalHeader? header,
        CancellationToken cancellationToken
    )
    {
        foreach (var chunk in trimmed.Chunk(1_000))
        {
            var rows = Array(
                chunk,
                static (json, topic) =>
                {
                    json.WriteStartArray();
                    json.WriteStringValue(topic.Name);
                    json.WriteNumberValue(topic.Through);
                    json.WriteEndArray();
                }
            );
            await session.Call("import_trimmed").Text(rows).RunAsync(cancellationToken);
        }
        if (trimmed.Count > 0)
            await session.Call("import_streams").RunAsync(cancellationToken);
        var last = trimmed.Count == 0 ? 0 : trimmed.Max(topic => topic.Through);
        await session.Call("import_end").Number(header?.Epoch ?? 0).Number(last).RunAsync(cancellationToken);
    }

    private static void WritePair(Utf8JsonWriter json, (long Offset, string Text) pair)
    {
        json.WriteStartArray();
        json.WriteNumberValue(pair.Offset);
        json.WriteStringValue(pair.Text);
        json.WriteEndArray();
    }

    private static string Array<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Compact))
        {
            json.WriteStartArray();
            foreach (var item in items)
                write(json, item);
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>The state of a store as an import finds it. Immutable.</summary>
/// <param name="Head">The last offset.</param>
/// <param name="Source">The file of an interrupted import; 0 for none.</param>
/// <param name="Through">The last offset of that file that was imported.</param>
internal sealed record ImportState(long Head, long Source, long Through);
