using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>The events that hold the data of streams.</summary>
/// <remarks>A message or append larger than <see cref="PieceBytes"/> is several consecutive events with the header
/// <see cref="PieceHeader"/>. They commit together, and a reader joins them.</remarks>
internal static class StreamEvents
{
    /// <summary>The type of the events.</summary>
    public const string EventType = "stream.append";

    /// <summary>The type of the event after the last append. It has no data; it tells readers that wait.</summary>
    public const string ClosedType = "stream.close";

    /// <summary>The type of the event of a stream that was deleted or has ended. It tells readers that wait.</summary>
    public const string EndedType = "stream.end";

    /// <summary>The header of an event that holds a piece of a message. A whole message has no such header.</summary>
    public const string PieceHeader = "piece";

    public const string FirstPiece = "first";
    public const string NextPiece = "next";
    public const string LastPiece = "last";

    /// <summary>The maximum size of an event's data: just below 64 KiB, which the queues of readers are made for.</summary>
    /// <remarks>A multiple of 3, so that the base64 of all pieces of a message is the base64 of the message.</remarks>
    public const int PieceBytes = (64 * 1024) - 1;

    /// <summary>Returns whether two content types have the same media type. Parameters do not count.</summary>
    public static bool AreEqual(string one, string other) => MediaType(one).Equals(MediaType(other), StringComparison.OrdinalIgnoreCase);

    public static bool IsJson(string contentType) => AreEqual(contentType, "application/json");

    public static bool IsText(string contentType) => MediaType(contentType).StartsWith("text/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns which piece of a message an event holds; null if it holds the whole message.</summary>
    public static string? PieceOf(DunlinEvent entry) => entry.Extra?.Headers.GetValueOrDefault(PieceHeader);

    /// <summary>Returns the number of events that hold these messages: at least 1, for the request itself.</summary>
    public static int CountOf(IEnumerable<ReadOnlyMemory<byte>> messages) =>
        Math.Max(1, messages.Sum(static message => Math.Max(1, (message.Length + PieceBytes - 1) / PieceBytes)));

    public static bool HasMore(DunlinEvent entry) => PieceOf(entry) is FirstPiece or NextPiece;

    /// <summary>Returns the events of a message.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidJson"/>: the message of a JSON stream is no JSON.</exception>
    public static IEnumerable<EventDraft> Split(TopicName topic, string contentType, ReadOnlyMemory<byte> message, EventOrigin? origin)
    {
        var isJson = IsJson(contentType);
        if (isJson)
            JsonText.Check(message.Span, JsonTextRules.Data, "messages");
        if (message.Length <= PieceBytes)
        {
            var format =
                isJson ? EventFormat.Json
                : IsText(contentType) && Utf8.IsValid(message.Span) ? EventFormat.Text
                : EventFormat.Binary;
            yield return EventDraft.OfEngine(topic, EventType, message, origin, new EventExtra { Format = format });
            yield break;
        }
        for (var at = 0; at < message.Length; at += PieceBytes)
        {
            var piece = message.Slice(at, Math.Min(PieceBytes, message.Length - at));
            var place =
                at == 0 ? FirstPiece
                : at + PieceBytes < message.Length ? NextPiece
                : LastPiece;
            var extra = new EventExtra
            {
                Format = EventFormat.Binary,
                Headers = new Dictionary<string, string>(StringComparer.Ordinal) { [PieceHeader] = place },
            };
            yield return EventDraft.OfEngine(topic, EventType, piece, origin, extra);
        }
    }

    /// <summary>Returns the event that tells readers that a stream is closed, and its tail.</summary>
    public static EventDraft ClosedEvent(TopicName topic, long tail, EventOrigin? origin) =>
        EventDraft.OfEngine(
            topic,
            ClosedType,
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"tail\":{tail}}}")),
            origin
        );

    public static EventDraft EndedEvent(TopicName topic) => EventDraft.OfEngine(topic, EndedType, "{}"u8.ToArray());

    /// <summary>Returns the tail that a closed event names.</summary>
    public static long TailOf(DunlinEvent closed)
    {
        using var data = JsonDocument.Parse(closed.Data);
        return data.RootElement.GetProperty("tail"u8).GetInt64();
    }

    private static ReadOnlySpan<char> MediaType(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? contentType.AsSpan() : contentType.AsSpan(0, end)).Trim();
    }
}
