using System.Text.Json;

namespace Dunlin.Relational.Outbox;

/// <summary>Reads rows of the outbox that hold many events, as the triggers of watched tables insert them. Thread-safe.</summary>
/// <remarks>
/// The data is a JSON array with an array of topic, type and data for each event: <c>[["orders/7", "row.updated", {"key": ...}], ...]</c>.
/// A row of its own for each event would cost a bulk statement more than all the rest: one more row and one trigger at the commit.
/// </remarks>
internal static class OutboxBatch
{
    /// <summary>The topic of such rows. No event has it, because it belongs to the engine.</summary>
    internal const string Topic = "dunlin/outbox";

    /// <summary>The type of such rows.</summary>
    internal const string Type = "dunlin.batch";

    /// <summary>Returns the events of a row, each as a row of its own, with the reason if the batch cannot be read.</summary>
    public static IEnumerable<(OutboxRow Row, string? Fault)> Expand(OutboxRow row)
    {
        if (row.Type != Type || row.Topic != Topic)
            return [(row, null)];
        try
        {
            return Read(row);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return [(row, $"The batch cannot be read: {exception.Message}")];
        }
    }

    private static List<(OutboxRow, string?)> Read(OutboxRow row)
    {
        var events = new List<(OutboxRow, string?)>();
        var reader = new Utf8JsonReader(row.Data, new JsonReaderOptions { MaxDepth = int.MaxValue });
        Expect(ref reader, JsonTokenType.StartArray);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
                throw new JsonException("An event is no array.");
            Expect(ref reader, JsonTokenType.String);
            var topic = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String);
            var type = reader.GetString()!;
            if (!reader.Read() || reader.TokenType == JsonTokenType.EndArray)
                throw new JsonException("An event has no data.");
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            // A copy, so that one event in a queue does not keep the whole batch in memory.
            var data = row.Data.AsSpan(start, (int)reader.BytesConsumed - start).ToArray();
            Expect(ref reader, JsonTokenType.EndArray);
            events.Add((row with { Topic = topic, Type = type, Data = data }, null));
        }
        return events;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new JsonException($"Expected {type} at byte {reader.TokenStartIndex}.");
    }
}
