using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Dunlin.Streams.Combined;

/// <summary>Encodes the control blocks of a combined response, which belong to none of its streams.</summary>
/// <remarks>The blocks consist of fields that EventSource ignores (HTML Living Standard, section 9.2.6). They begin with the field
/// <c>stream</c>, which <see cref="Fanout.FrameWriter"/> cannot write, so no event can imitate them.</remarks>
internal static class CombinedBlocks
{
    /// <summary>Returns the block after which all frames, up to the next such block, belong to the stream.</summary>
    public static ReadOnlyMemory<byte> Marker(string id) => Encode($"stream: {id}\n\n");

    /// <summary>Returns the block that announces an open stream and its connection id.</summary>
    public static ReadOnlyMemory<byte> Opened(string id, string connectionId) =>
        Encode($"stream: {id}\nstatus: 200\nconnection: {connectionId}\n\n");

    /// <summary>Returns the block that announces a refused stream.</summary>
    /// <param name="id">The id of the stream.</param>
    /// <param name="status">The HTTP status that a separate request would have received.</param>
    /// <param name="retryAfter">The value of the header <c>Retry-After</c>. Null for none.</param>
    /// <param name="problem">The problem document. Null for none.</param>
    public static ReadOnlyMemory<byte> Refused(string id, int status, string? retryAfter, JsonElement? problem)
    {
        var block = new ArrayBufferWriter<byte>(512);
        block.Write(Encode(string.Create(CultureInfo.InvariantCulture, $"stream: {id}\nstatus: {status}\n")).Span);
        if (retryAfter is not null && !retryAfter.AsSpan().ContainsAny('\r', '\n'))
            block.Write(Encode($"retry-after: {retryAfter}\n").Span);
        if (problem is { } document)
        {
            block.Write("problem: "u8);
            // Serialised again, which puts the document on one line in any case.
            using (var json = new Utf8JsonWriter(block))
                document.WriteTo(json);
            block.Write("\n"u8);
        }
        block.Write("\n"u8);
        return block.WrittenMemory;
    }

    /// <summary>Returns the block that announces the end of a stream. It follows the goodbye, if there is one.</summary>
    public static ReadOnlyMemory<byte> Ended(string id) => Encode($"stream: {id}\nend:\n\n");

    private static ReadOnlyMemory<byte> Encode(string text) => Encoding.UTF8.GetBytes(text);
}
