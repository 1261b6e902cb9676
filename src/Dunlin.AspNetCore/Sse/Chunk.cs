using System.Globalization;

namespace Dunlin.Sse;

/// <summary>Formats chunks of an HTTP/1.1 body (RFC 9112, section 7.1).</summary>
internal static class Chunk
{
    /// <summary>The maximum overhead of a chunk in bytes: eight hexadecimal digits and two line ends.</summary>
    public const int Border = 12;

    /// <summary>Gets the last chunk, which ends the body.</summary>
    public static ReadOnlySpan<byte> Last => "0\r\n\r\n"u8;

    /// <summary>Writes bytes as one chunk.</summary>
    /// <param name="bytes">At least one byte: an empty chunk ends the body.</param>
    /// <param name="chunk">A buffer for the bytes and <see cref="Border"/> more.</param>
    /// <returns>The length of the chunk in bytes.</returns>
    public static int Write(ReadOnlySpan<byte> bytes, Span<byte> chunk)
    {
        bytes.Length.TryFormat(chunk, out var at, "x", CultureInfo.InvariantCulture);
        "\r\n"u8.CopyTo(chunk[at..]);
        bytes.CopyTo(chunk[(at + 2)..]);
        "\r\n"u8.CopyTo(chunk[(at + 2 + bytes.Length)..]);
        return at + bytes.Length + 4;
    }
}
