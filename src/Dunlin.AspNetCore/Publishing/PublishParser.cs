using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Topics;

namespace Dunlin.Publishing;

/// <summary>One event of a publish request.</summary>
internal readonly record struct PublishItem(EventDraft Draft, bool IsTransient, string? IdempotencyKey);

/// <summary>Parses <c>{topic, type, data, transient?, idempotencyKey?}</c>, or an array of them, from UTF-8 bytes. The data is a slice of
/// those bytes and is never serialised again. Unknown and repeated members are errors, and each error names its field.</summary>
internal static class PublishParser
{
    public static List<PublishItem> Parse(ReadOnlyMemory<byte> utf8, PublishOptions options, EventOrigin origin)
    {
        var items = new List<PublishItem>(1);
        // The item nests data one level deep, an array of items two. Data may nest equally deep in both.
        var depth = JsonText.MaxDepth + (utf8.Span.TrimStart(" \t\r\n"u8) is [(byte)'[', ..] ? 2 : 1);
        var rules = JsonTextRules.Data with { MaxDepth = depth };
        // This check comes first because Utf8JsonReader throws on an unpaired surrogate in any string that the code reads.
        if (!JsonText.IsUnicode(utf8.Span))
            JsonText.Check(utf8.Span, rules);
        try
        {
            var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { MaxDepth = depth });
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                items.Add(ReadItem(ref reader, utf8, options, origin, ""));
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(ReadNext(ref reader, utf8, options, origin, items.Count));
            }
            else
            {
                throw new DunlinException(ErrorCode.InvalidField, "The body must be an object or an array of objects.");
            }
            reader.Read(); // throws on text after the value
        }
        catch (JsonException error)
        {
            JsonText.Check(utf8.Span, rules); // names the member that nests too deep
            throw new DunlinException(
                ErrorCode.InvalidJson,
                $"The body is not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}.",
                innerException: error
            );
        }
        return items.Count > 0 ? items : throw new DunlinException(ErrorCode.InvalidField, "The array has no event. Send at least one.");
    }

    private static PublishItem ReadNext(
        ref Utf8JsonReader reader,
        ReadOnlyMemory<byte> utf8,
        PublishOptions options,
        EventOrigin origin,
        int index
    )
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new DunlinException(ErrorCode.InvalidField, $"'[{index}]' must be an object.", $"[{index}]");
        if (index == JournalLimits.MaxEventsPerAppend)
            throw TooLarge(
                $"The request has more than {JournalLimits.MaxEventsPerAppend} events. Split it.",
                JournalLimits.MaxEventsPerAppend,
                null
            );
        return ReadItem(ref reader, utf8, options, origin, $"[{index}].");
    }

    private static PublishItem ReadItem(
        ref Utf8JsonReader reader,
        ReadOnlyMemory<byte> utf8,
        PublishOptions options,
        EventOrigin origin,
        string path
    )
    {
        string? topic = null,
            type = null,
            key = null;
        bool? transient = null;
        ReadOnlyMemory<byte>? data = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("topic"u8))
                Once(ref topic, Text(ref reader, path, "topic"), path, "topic");
            else if (reader.ValueTextEquals("type"u8))
                Once(ref type, Text(ref reader, path, "type"), path, "type");
            else if (reader.ValueTextEquals("data"u8))
                data = data is null ? Raw(ref reader, utf8, options, path) : throw Repeated(path, "data");
            else if (reader.ValueTextEquals("transient"u8))
                transient = transient is null ? Flag(ref reader, path) : throw Repeated(path, "transient");
            else if (reader.ValueTextEquals("idempotencyKey"u8))
                Once(ref key, Key(ref reader, path), path, "idempotencyKey");
            else
                throw new DunlinException(
                    ErrorCode.UnknownField,
                    $"'{path}{reader.GetString()}' is not a field of an event. Use topic, type, data, transient and idempotencyKey.",
                    path + reader.GetString()
                );
        }
        if (data is null)
            throw Missing(path, "data");
        try
        {
            var draft = new EventDraft(
                TopicName.Parse(topic ?? throw Missing(path, "topic")),
                type ?? throw Missing(path, "type"),
                data.Value,
                origin
            );
            return new PublishItem(draft, transient ?? false, key);
        }
        catch (DunlinException error)
            when (error.Field is not null && path.Length > 0 && !error.Field.StartsWith(path, StringComparison.Ordinal))
        {
            throw new DunlinException(error.Code, error.Message, path + error.Field, error);
        }
    }

    private static void Once(ref string? slot, string value, string path, string field) =>
        slot = slot is null ? value : throw Repeated(path, field);

    private static string Text(ref Utf8JsonReader reader, string path, string field)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(path, field, "a string");
    }

    private static string Key(ref Utf8JsonReader reader, string path) =>
        Text(ref reader, path, "idempotencyKey") is { Length: >= 1 and <= 100 } key
            ? key
            : throw Wrong(path, "idempotencyKey", "a string of 1 to 100 characters");

    private static bool Flag(ref Utf8JsonReader reader, string path)
    {
        reader.Read();
        return reader.TokenType is JsonTokenType.True or JsonTokenType.False
            ? reader.GetBoolean()
            : throw Wrong(path, "transient", "true or false");
    }

    private static ReadOnlyMemory<byte> Raw(ref Utf8JsonReader reader, ReadOnlyMemory<byte> utf8, PublishOptions options, string path)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var data = utf8[start..(int)reader.BytesConsumed];
        return data.Length <= options.MaxDataBytes
            ? data
            : throw TooLarge(
                $"'{path}data' has {data.Length} bytes; the limit is {options.MaxDataBytes}.",
                options.MaxDataBytes,
                path + "data"
            );
    }

    private static DunlinException Missing(string path, string field) =>
        new(ErrorCode.InvalidField, $"'{path}{field}' is missing.", path + field);

    private static DunlinException Repeated(string path, string field) =>
        new(ErrorCode.InvalidJson, $"'{path}{field}' occurs twice. Send it once.", path + field);

    private static DunlinException Wrong(string path, string field, string expected) =>
        new(ErrorCode.InvalidField, $"'{path}{field}' must be {expected}.", path + field);

    private static DunlinException TooLarge(string detail, int limit, string? field) =>
        new(ErrorCode.TooLarge, detail, field)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };
}
