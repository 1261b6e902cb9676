using System.Globalization;
using System.Text;

namespace Dunlin.Fuzz.Http;

/// <summary>One response, as it was received. Immutable.</summary>
/// <param name="Status">The status.</param>
/// <param name="Headers">The header fields, with names in lower case.</param>
/// <param name="Body">The body, without the framing of chunks.</param>
/// <param name="IsComplete">Whether the body ended before the connection did.</param>
internal sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool IsComplete)
{
    /// <summary>Gets the request that the application read; null if the web server answered alone.</summary>
    public string? Request => Headers.TryGetValue(RequestEcho.Header.ToLowerInvariant(), out var echo) ? RequestEcho.Decode(echo) : null;

    public bool IsStream => Headers.GetValueOrDefault("content-type")?.StartsWith("text/event-stream", StringComparison.Ordinal) == true;

    public bool ClosesConnection => Headers.GetValueOrDefault("connection")?.Contains("close", StringComparison.OrdinalIgnoreCase) == true;

    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Reads all responses of a connection.</summary>
    /// <exception cref="FormatException">The bytes are no responses.</exception>
    public static List<RawAnswer> ReadAll(ReadOnlySpan<byte> bytes)
    {
        var answers = new List<RawAnswer>();
        // The web server answers the preface of HTTP/2 with a frame of HTTP/2, which begins with a length below 2^16.
        while (!bytes.IsEmpty && bytes[0] != 0)
        {
            var end = bytes.IndexOf("\r\n\r\n"u8);
            if (end < 0)
                throw new FormatException($"'{Encoding.Latin1.GetString(bytes)}' is no head of a response.");
            var lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
            bytes = bytes[(end + 4)..];
            var (status, headers) = (StatusOf(lines[0]), HeadersOf(lines));
            if (status is >= 100 and < 200 and not 101)
                continue;
            var (body, isComplete) = BodyOf(ref bytes, status, headers);
            answers.Add(new RawAnswer(status, headers, body, isComplete));
        }
        return answers;
    }

    private static int StatusOf(string line) =>
        line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) && line.Length >= 12 && line[9..12].All(char.IsAsciiDigit)
            ? int.Parse(line[9..12], CultureInfo.InvariantCulture)
            : throw new FormatException($"'{line}' is no status line.");

    private static Dictionary<string, string> HeadersOf(string[] lines)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan().ContainsAny('\r', '\n', '\0'))
                throw new FormatException($"'{line}' is no header field.");
            var (name, value) = (line[..colon].ToLowerInvariant(), line[(colon + 1)..].Trim());
            headers[name] = headers.TryGetValue(name, out var before) ? $"{before}, {value}" : value;
        }
        return headers;
    }

    private static (byte[] Body, bool IsComplete) BodyOf(ref ReadOnlySpan<byte> bytes, int status, Dictionary<string, string> headers)
    {
        var isHead =
            headers.TryGetValue(RequestEcho.Header.ToLowerInvariant(), out var echo)
            && RequestEcho.Decode(echo).StartsWith("HEAD ", StringComparison.Ordinal);
        if (isHead || status is 204 or 205 or 304)
            return ([], true);
        if (headers.GetValueOrDefault("transfer-encoding") == "chunked")
            return ChunksOf(ref bytes);
        if (!headers.TryGetValue("content-length", out var text))
            return (Take(ref bytes, bytes.Length), false);
        var length = int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
        return length <= bytes.Length ? (Take(ref bytes, length), true) : (Take(ref bytes, bytes.Length), false);
    }

    private static (byte[] Body, bool IsComplete) ChunksOf(ref ReadOnlySpan<byte> bytes)
    {
        var body = new MemoryStream();
        while (bytes.IndexOf("\r\n"u8) is > 0 and var end)
        {
            var size = int.Parse(Encoding.Latin1.GetString(bytes[..end]), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            bytes = bytes[(end + 2)..];
            if (bytes.Length < size + 2)
                break;
            body.Write(Take(ref bytes, size));
            if (!bytes.StartsWith("\r\n"u8))
                throw new FormatException("A chunk does not end with CR LF.");
            bytes = bytes[2..];
            if (size == 0)
                return (body.ToArray(), true);
        }
        bytes = default;
        return (body.ToArray(), false);
    }

    private static byte[] Take(ref ReadOnlySpan<byte> bytes, int length)
    {
        var taken = bytes[..length].ToArray();
        bytes = bytes[length..];
        return taken;
    }
}
