using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Transport;

/// <summary>The head of a response that the web server has written and not sent. Immutable.</summary>
/// <remarks>Middleware and callbacks of the response have contributed to it. The status, the framing of the body and the date are written
/// when the response is sent (RFC 9112, sections 4 and 6).</remarks>
internal sealed class ResponseHead
{
    private static readonly string[] Replaced =
    [
        HeaderNames.TransferEncoding,
        HeaderNames.ContentLength,
        HeaderNames.Connection,
        HeaderNames.Upgrade,
        HeaderNames.Date,
    ];

    private readonly byte[] _fields; // each with its line end

    private ResponseHead(byte[] fields, bool closes) => (_fields, Closes) = (fields, closes);

    /// <summary>Gets whether the server ends the connection after the response.</summary>
    public bool Closes { get; }

    /// <param name="head">The bytes of the head: a status line, header fields and an empty line.</param>
    public static ResponseHead Parse(ReadOnlySpan<byte> head)
    {
        var fields = new ArrayBufferWriter<byte>(head.Length);
        var closes = false;
        for (var line = Line(ref head); (line = Line(ref head)).Length > 2; )
        {
            var name = line[..line.IndexOf((byte)':')];
            if (Is(name, HeaderNames.Connection))
                closes = Encoding.ASCII.GetString(line).Contains("close", StringComparison.OrdinalIgnoreCase);
            if (!IsAny(name, Replaced))
                fields.Write(line);
        }
        return new ResponseHead(fields.WrittenSpan.ToArray(), closes);
    }

    /// <summary>Writes the head of the final response.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="headers">Fields that replace those of the same name.</param>
    /// <param name="contentLength">The length of the body in bytes; null if the status has no body.</param>
    /// <param name="time">The time of the response.</param>
    /// <param name="buffer">Receives the bytes.</param>
    public void Write(
        int status,
        IReadOnlyList<KeyValuePair<string, string>> headers,
        long? contentLength,
        DateTimeOffset time,
        ArrayBufferWriter<byte> buffer
    )
    {
        Write(buffer, $"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\nDate: {time:R}\r\n");
        var names = headers.Select(static header => header.Key).ToArray();
        for (ReadOnlySpan<byte> rest = _fields; !rest.IsEmpty; )
        {
            var line = Line(ref rest);
            var name = line[..line.IndexOf((byte)':')];
            if (!IsAny(name, names) && (contentLength is not null || !Is(name, HeaderNames.ContentType)))
                buffer.Write(line);
        }
        foreach (var (name, value) in headers)
        {
            if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
                throw new ArgumentException($"The header {name} cannot contain line breaks or NUL.", nameof(headers));
            Write(buffer, $"{name}: {value}\r\n");
        }
        if (contentLength is { } length)
            Write(buffer, $"Content-Length: {length}\r\n");
        if (Closes)
            buffer.Write("Connection: close\r\n"u8);
        buffer.Write("\r\n"u8);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, FormattableString text) =>
        Encoding.Latin1.GetBytes(text.ToString(CultureInfo.InvariantCulture), buffer);

    private static ReadOnlySpan<byte> Line(ref ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'\n') + 1;
        var line = rest[..end];
        rest = rest[end..];
        return line;
    }

    private static bool Is(ReadOnlySpan<byte> name, string other) => Ascii.EqualsIgnoreCase(name, other);

    private static bool IsAny(ReadOnlySpan<byte> name, string[] others)
    {
        foreach (var other in others)
        {
            if (Is(name, other))
                return true;
        }
        return false;
    }
}
