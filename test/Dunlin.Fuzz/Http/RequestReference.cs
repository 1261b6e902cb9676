using System.Globalization;
using System.Text;

namespace Dunlin.Fuzz.Http;

/// <summary>A strict reading of the requests of a connection: RFC 9112, with no tolerance except for lines that end with LF.</summary>
/// <param name="Complete">The requests, as method and target, up to the first one that is not complete and correct.</param>
/// <param name="Doubtful">The request after them, as far as its first line shows; null if the bytes end with a complete one.</param>
internal sealed record RequestReference(IReadOnlyList<string> Complete, string? Doubtful)
{
    public static RequestReference Read(ReadOnlySpan<byte> bytes)
    {
        var complete = new List<string>();
        while (!bytes.IsEmpty)
        {
            if (Next(bytes) is not (var request, var length))
                return new RequestReference(complete, FirstLine(bytes));
            complete.Add(request);
            bytes = bytes[length..];
        }
        return new RequestReference(complete, null);
    }

    // Lenient: the parts around the first two spaces, for a comparison with what a tolerant server read.
    private static string FirstLine(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.Latin1.GetString(bytes).TrimStart('\r', '\n');
        var line = text.Split('\n')[0].TrimEnd('\r');
        var parts = line.Split(' ');
        return parts.Length < 2 ? line : $"{parts[0]} {parts[1]}";
    }

    private static (string Request, int Length)? Next(ReadOnlySpan<byte> bytes)
    {
        if (HeadOf(bytes) is not (var lines, var head))
            return null;
        if (RequestOf(lines[0]) is not { } request)
            return null;
        if (Fields(lines) is not { } fields || fields.Count(static field => field.Name == "host") != 1)
            return null;
        var lengths = fields.Where(static field => field.Name == "content-length").ToList();
        var codings = fields.Where(static field => field.Name == "transfer-encoding").ToList();
        var rest = bytes[head..];
        if (codings.Count > 0)
            return lengths.Count == 0 && codings is [{ Value: "chunked" }] && Chunks(rest) is { } size ? (request, head + size) : null;
        if (lengths.Count == 0)
            return (request, head);
        return
            lengths is [{ Value: { Length: > 0 and < 10 } text }]
            && text.All(char.IsAsciiDigit)
            && int.Parse(text, CultureInfo.InvariantCulture) is var length
            && length <= rest.Length
            ? (request, head + length)
            : null;
    }

    // The web server takes any character before the version for the space.
    private static string? RequestOf(string line)
    {
        const string Version = "HTTP/1.1";
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space < 1 || line.Length < space + Version.Length + 3 || !line.EndsWith(Version, StringComparison.Ordinal))
            return null;
        var (method, target) = (line[..space], line[(space + 1)..^(Version.Length + 1)]);
        return method.All(IsToken) && !target.Contains(' ', StringComparison.Ordinal) ? $"{method} {target}" : null;
    }

    // A line may end with LF alone (RFC 9112, section 2.2), as the web server accepts it.
    private static (string[] Lines, int Length)? HeadOf(ReadOnlySpan<byte> bytes)
    {
        var lines = new List<string>();
        for (var at = 0; bytes[at..].IndexOf((byte)'\n') is >= 0 and var length; )
        {
            var line = Encoding.Latin1.GetString(bytes.Slice(at, length));
            at += length + 1;
            if (line.EndsWith('\r'))
                line = line[..^1];
            if (line.AsSpan().ContainsAny('\r', '\0'))
                return null;
            if (line.Length == 0)
                return lines.Count == 0 ? null : ([.. lines], at);
            lines.Add(line);
        }
        return null;
    }

    private static List<(string Name, string Value)>? Fields(string[] lines)
    {
        var fields = new List<(string Name, string Value)>();
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !line[..colon].All(IsName))
                return null;
            fields.Add((line[..colon].ToLowerInvariant(), line[(colon + 1)..].Trim(' ', '\t')));
        }
        return fields;
    }

    private static int? Chunks(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (true)
        {
            var end = bytes[at..].IndexOf("\r\n"u8);
            if (end is < 1 or > 7)
                return null;
            var digits = Encoding.Latin1.GetString(bytes.Slice(at, end));
            if (!digits.All(char.IsAsciiHexDigit))
                return null;
            var size = int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            at += end + 2;
            if (at + size + 2 > bytes.Length || !bytes.Slice(at + size, 2).SequenceEqual("\r\n"u8))
                return null; // also a trailer section
            at += size + 2;
            if (size == 0)
                return at;
        }
    }

    // The web server accepts more characters in names and values of fields than RFC 9110 does.
    private static bool IsName(char c) => c is not (' ' or '\t' or ':');

    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
