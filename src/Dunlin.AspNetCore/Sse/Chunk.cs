using System.Globalization;

namespace Dunlin.Sse;

/// <summary>One chunk of a body over HTTP/1.1 (RFC 9112, section 7.1).</summary>
internal static class Chunk
{
    /// <summary>What a chunk adds to its bytes at most: eight hexadecimal digits and two line ends.</summary>
    public const int Border = 12;

    /// <summary>The end of the body.</summary>
    public static ReadOnlySpan<byte> Last => "0\r\n\r\n"u8;

    /// <summary>Writes the bytes as one chunk.</summary>
    /// <param name="bytes">One at least: a chunk of none ends the body.</param>
    /// <param name="chunk">Room for the bytes and <see cref="Border"/>.</param>
    /// <returns>The length of the chunk.</returns>
    public static int Write(ReadOnlySpan<byte> bytes, Span<byte> chunk)
    {
        bytes.Length.TryFormat(chunk, out var at, "x", CultureInfo.InvariantCulture);
        "\r\n"u8.CopyTo(chunk[at..]);
        bytes.CopyTo(chunk[(at + 2)..]);
        "\r\n"u8.CopyTo(chunk[(at + 2 + bytes.Length)..]);
        return at + bytes.Length + 4;
    }
}
