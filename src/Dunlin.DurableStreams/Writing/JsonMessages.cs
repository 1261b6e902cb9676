using System.Text.Json;
using Dunlin.Diagnostics;

namespace Dunlin.DurableStreams.Writing;

/// <summary>Divides a JSON body into messages: the items of an array, or the one value.</summary>
internal static class JsonMessages
{
    /// <param name="body">The body.</param>
    /// <param name="limit">The maximum number of messages.</param>
    /// <returns>The messages, as slices of the body. Empty for an empty array.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidJson"/>: the body is no JSON. <see cref="ErrorCode.TooLarge"/>: there
    /// are too many messages.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Read(ReadOnlyMemory<byte> body, int limit)
    {
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            reader.Read();
            var messages = new List<ReadOnlyMemory<byte>>();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                messages.Add(Value(ref reader, body));
                RequireEnd(ref reader);
                return messages;
            }
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (messages.Count == limit)
                    throw TooMany(limit);
                messages.Add(Value(ref reader, body));
            }
            RequireEnd(ref reader);
            return messages;
        }
        catch (JsonException fault)
        {
            throw new DunlinException(ErrorCode.InvalidJson, $"The body is not valid JSON: {fault.Message}", null, fault);
        }
    }

    private static ReadOnlyMemory<byte> Value(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return body[start..(int)reader.BytesConsumed];
    }

    private static void RequireEnd(ref Utf8JsonReader reader)
    {
        if (reader.Read())
            throw new DunlinException(ErrorCode.InvalidJson, "The body has text after the JSON value. Send one value.");
    }

    private static DunlinException TooMany(int limit) =>
        new(ErrorCode.TooLarge, $"The append has more than {limit} messages. Send fewer at once.")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };
}
