using System.Globalization;
using System.Text;

namespace Dunlin.Fuzz.Targets;

/// <summary>A second reader of event streams, written for clarity: HTML Living Standard, 9.2.6, and own fields.</summary>
internal static class SseReference
{
    public static string Read(byte[] bytes)
    {
        // Latin-1 keeps each byte; values are decoded at the end, as the standard decodes before it splits into lines.
        var text = Encoding.Latin1.GetString(bytes);
        if (text.StartsWith("\u00ef\u00bb\u00bf", StringComparison.Ordinal))
            text = text[3..];
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n');
        var frames = new StringBuilder();
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        List<string> data = [],
            also = [];
        var (id, last) = ("", "");
        double? retry = null;
        foreach (var line in lines[..^1])
        {
            if (line.Length == 0)
            {
                if (data.Count > 0 || id != last)
                    Append(
                        frames,
                        fields.GetValueOrDefault("event") is { Length: > 0 } type ? type : "message",
                        id,
                        fields.GetValueOrDefault("topic"),
                        fields.GetValueOrDefault("control"),
                        fields.GetValueOrDefault("format"),
                        also.Count > 0 ? also : null,
                        data.Count > 0 ? string.Join('\n', data) : null
                    );
                last = id;
                fields.Clear();
                data.Clear();
                also.Clear();
                continue;
            }
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? line : line[..colon];
            var raw = colon < 0 ? "" : line[(colon + 1)..];
            raw = raw.StartsWith(' ') ? raw[1..] : raw;
            var value = Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(raw));
            switch (name)
            {
                case "data":
                    data.Add(value);
                    break;
                case "also":
                    also.Add(value);
                    break;
                case "id" when !raw.Contains('\0', StringComparison.Ordinal):
                    id = value;
                    break;
                case "retry" when raw.Length is > 0 and < 10 && raw.All(char.IsAsciiDigit):
                    retry = double.Parse(raw, CultureInfo.InvariantCulture);
                    break;
                case "event" or "topic" or "control" or "format":
                    fields[name] = value;
                    break;
            }
        }
        return frames.Append(CultureInfo.InvariantCulture, $"retry {retry}").ToString();
    }

    public static void Append(
        StringBuilder frames,
        string type,
        string id,
        string? topic,
        string? control,
        string? format,
        IReadOnlyList<string>? also,
        string? data
    ) =>
        frames.AppendLine(
            string.Join(
                '|',
                type,
                id,
                topic ?? "-",
                control ?? "-",
                format ?? "-",
                also is null ? "-" : string.Join(',', also),
                data ?? "-"
            )
        );
}
