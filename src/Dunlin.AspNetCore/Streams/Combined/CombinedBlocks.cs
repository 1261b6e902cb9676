using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Dunlin.Streams.Combined;

/// <summary>
/// The blocks of a combined response that belong to none of its streams. They hold fields only that EventSource ignores, and begin
/// with the field <c>stream</c>, which <see cref="Fanout.FrameWriter"/> cannot write: an event cannot imitate them.
/// </summary>
internal static class CombinedBlocks
{
    /// <summary>What follows, up to the next such block, is of this stream.</summary>
    public static ReadOnlyMemory<byte> Marker(string id) => Encode($"stream: {id}\n\n");

    /// <summary>The stream has been opened, as this connection.</summary>
    public static ReadOnlyMemory<byte> Opened(string id, string connectionId) =>
        Encode($"stream: {id}\nstatus: 200\nconnection: {connectionId}\n\n");

    /// <summary>The stream was refused.</summary>
    /// <param name="id">Which.</param>
    /// <param name="status">The HTTP status that a request of its own would have been answered with.</param>
    /// <param name="retryAfter">The header <c>Retry-After</c>.</param>
    /// <param name="problem">The problem document; null where there is none.</param>
    public static ReadOnlyMemory<byte> Refused(string id, int status, string? retryAfter, JsonElement? problem)
    {
        var block = new ArrayBufferWriter<byte>(512);
        block.Write(Encode(string.Create(CultureInfo.InvariantCulture, $"stream: {id}\nstatus: {status}\n")).Span);
        if (retryAfter is not null && !retryAfter.AsSpan().ContainsAny('\r', '\n'))
            block.Write(Encode($"retry-after: {retryAfter}\n").Span);
        if (problem is { } document)
        {
            block.Write("problem: "u8);
            // Written anew: whatever the endpoint's own writer did, this is one line.
            using (var json = new Utf8JsonWriter(block))
                document.WriteTo(json);
            block.Write("\n"u8);
        }
        block.Write("\n"u8);
        return block.WrittenMemory;
    }

    /// <summary>The stream has ended, after its goodbye if there was one.</summary>
    public static ReadOnlyMemory<byte> Ended(string id) => Encode($"stream: {id}\nend:\n\n");

    private static ReadOnlyMemory<byte> Encode(string text) => Encoding.UTF8.GetBytes(text);
}
