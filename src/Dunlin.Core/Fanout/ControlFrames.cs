using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>The reason why a client must load its data again.</summary>
internal enum ResetReason
{
    /// <summary>Retention removed events after the client's position.</summary>
    Trimmed,

    /// <summary>The position belongs to another epoch of the journal.</summary>
    Epoch,

    /// <summary>The position is after the head: the journal was restored to an earlier state.</summary>
    Ahead,

    /// <summary>The position is not valid on this server: it comes from another server or was altered.</summary>
    Unknown,
}

/// <summary>Encodes control frames: messages of the server about the stream itself.</summary>
/// <remarks>
/// Control frames always have an event name, also on streams with unnamed events, so that applications do not receive them by accident.
/// They carry the field <c>control</c>, which no event can have. See HTML Living Standard 9.2.
/// </remarks>
internal static class ControlFrames
{
    /// <summary>
    /// Encodes <c>dunlin.reset {reason, position}</c>: the client must load its data again; the stream continues after
    /// <paramref name="position"/>.
    /// </summary>
    /// <param name="reason">The reason.</param>
    /// <param name="position">The position after which the stream continues. It is also the frame's <c>id</c>.</param>
    public static ReadOnlyMemory<byte> Reset(ResetReason reason, Position position) =>
        Encode(
            position,
            "reset",
            json =>
            {
                json.WriteString("reason"u8, Camel(reason));
                json.WriteString("position"u8, position.ToString());
            }
        );

    /// <summary>
    /// Encodes <c>dunlin.goodbye {reason, reconnectInMs}</c>, with the same delay as <c>retry:</c> for a native EventSource.
    /// </summary>
    /// <param name="reason">The reason for the end of the connection.</param>
    /// <param name="reconnectIn">The delay before the client should reconnect; sent in milliseconds.</param>
    public static ReadOnlyMemory<byte> Goodbye(ConnectionEnd reason, TimeSpan reconnectIn)
    {
        var delay = (long)reconnectIn.TotalMilliseconds;
        var frame = Encode(
            null,
            "goodbye",
            json =>
            {
                json.WriteString("reason"u8, Camel(reason));
                json.WriteNumber("reconnectInMs"u8, delay);
            }
        );
        var retry = Retry(reconnectIn);
        var bytes = new byte[retry.Length + frame.Length];
        retry.CopyTo(bytes);
        frame.CopyTo(bytes.AsMemory(retry.Length));
        return bytes;
    }

    /// <summary>
    /// Encodes <c>dunlin.revoked {topics}</c>: the caller may no longer read these topics and patterns. The stream continues with the
    /// others.
    /// </summary>
    /// <param name="topics">The revoked topics and patterns.</param>
    public static ReadOnlyMemory<byte> Revoked(IEnumerable<string> topics) =>
        Encode(
            null,
            "revoked",
            json =>
            {
                json.WriteStartArray("topics"u8);
                foreach (var topic in topics)
                    json.WriteStringValue(topic);
                json.WriteEndArray();
            }
        );

    /// <summary>Encodes the <c>retry:</c> line for a native EventSource.</summary>
    /// <param name="delay">The reconnection delay; sent in milliseconds.</param>
    public static ReadOnlyMemory<byte> Retry(TimeSpan delay) =>
        System.Text.Encoding.ASCII.GetBytes(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"retry: {(long)delay.TotalMilliseconds}\n")
        );

    private static ReadOnlyMemory<byte> Encode(Position? position, string name, Action<Utf8JsonWriter> write) =>
        FrameWriter.Encode(
            position,
            frame =>
            {
                frame.Control(name);
                frame.Json(
                    write,
                    static (json, write) =>
                    {
                        json.WriteStartObject();
                        write(json);
                        json.WriteEndObject();
                    }
                );
            }
        );

    private static string Camel<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
