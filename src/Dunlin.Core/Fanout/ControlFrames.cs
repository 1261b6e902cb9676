using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Fanout;

/// <summary>Why a client must fetch afresh.</summary>
internal enum ResetReason
{
    /// <summary>Events after its position have been removed by retention.</summary>
    Trimmed,

    /// <summary>Its position belongs to another history.</summary>
    Epoch,

    /// <summary>Its position lies after the head: the journal was set back.</summary>
    Ahead,

    /// <summary>What it sent is no position of this server: it comes from another server, or was changed on the way.</summary>
    Unknown,
}

/// <summary>The frames by which the server speaks of the stream itself. Always named, whatever the format of the events, so
/// that applications with unnamed events do not see them by accident; and with the field <c>control</c>, which no event can
/// carry.</summary>
internal static class ControlFrames
{
    /// <summary><c>dunlin.reset {reason, position}</c>: what follows goes on from <paramref name="position"/>; refetch.</summary>
    public static ReadOnlyMemory<byte> Reset(ResetReason reason, Position position) =>
        Encode(position, "reset", new { reason = Camel(reason), position = position.ToString() });

    /// <summary><c>dunlin.goodbye {reason, reconnectInMs}</c>, with the same delay as <c>retry:</c> for a native EventSource.</summary>
    public static ReadOnlyMemory<byte> Goodbye(ConnectionEnd reason, TimeSpan reconnectIn)
    {
        var delay = (long)reconnectIn.TotalMilliseconds;
        var frame = Encode(null, "goodbye", new { reason = Camel(reason), reconnectInMs = delay });
        var retry = Retry(reconnectIn);
        var bytes = new byte[retry.Length + frame.Length];
        retry.CopyTo(bytes);
        frame.CopyTo(bytes.AsMemory(retry.Length));
        return bytes;
    }

    /// <summary>
    /// <c>dunlin.revoked {topics}</c>: these topics and patterns can no longer be read; the stream goes on with the others.
    /// </summary>
    public static ReadOnlyMemory<byte> Revoked(IEnumerable<string> topics) => Encode(null, "revoked", new { topics });

    /// <summary>The <c>retry:</c> line for a native EventSource.</summary>
    public static ReadOnlyMemory<byte> Retry(TimeSpan delay) =>
        System.Text.Encoding.ASCII.GetBytes(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"retry: {(long)delay.TotalMilliseconds}\n")
        );

    private static ReadOnlyMemory<byte> Encode<T>(Position? position, string name, T value) =>
        FrameWriter.Encode(
            position,
            frame =>
            {
                frame.Control(name);
                frame.Json(value);
            }
        );

    private static string Camel<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
