using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>What a JSON text must be, beyond RFC 8259.</summary>
/// <param name="MaxDepth">Levels of objects and arrays.</param>
/// <param name="IsDocument">Whether the server reads the values itself: then no member may stand twice in its object, no text may hold
/// NUL (PostgreSQL keeps none), and every number must be finite as a 64-bit float. Otherwise the bytes are passed on as they came.</param>
public sealed record JsonTextRules(int MaxDepth, bool IsDocument)
{
    /// <summary>For data that is passed on: the data of events.</summary>
    public static JsonTextRules Data { get; } = new(JsonText.MaxDepth, IsDocument: false);

    /// <summary>For what the server reads: bodies, documents, arguments, records.</summary>
    public static JsonTextRules Document { get; } = new(JsonText.MaxDepth, IsDocument: true);
}

/// <summary>What is wrong with a JSON text.</summary>
/// <param name="Code"><see cref="ErrorCode.InvalidJson"/> for the syntax, depth and repeated members; <see cref="ErrorCode.InvalidField"/>
/// for values.</param>
/// <param name="Path">Where, such as <c>items[2].name</c>; empty for the value itself. An escaped name stands as it was written.</param>
/// <param name="Reason">What is wrong there, as the end of a sentence.</param>
public sealed record JsonTextFault(ErrorCode Code, string Path, string Reason)
{
    /// <summary>The error of it.</summary>
    /// <param name="prefix">The place of the text within the request; empty for the whole body.</param>
    public DunlinException ToException(string prefix = "")
    {
        var field = prefix.Length == 0 || Path.Length == 0 || Path[0] == '[' ? prefix + Path : $"{prefix}.{Path}";
        return field.Length == 0
            ? new DunlinException(Code, $"The body {Reason}")
            : new DunlinException(Code, $"'{field}' {Reason}", field);
    }
}

/// <summary>
/// Reads JSON text from outside before anything else does: System.Text.Json takes escapes of half surrogate pairs as valid
/// JSON and throws when they are read as text, which is too late. Safe for concurrent use; allocates on faults only.
/// </summary>
public static class JsonText
{
    /// <summary>Levels of objects and arrays in a value that is stored or passed on. Readers commonly take 64 (System.Text.Json), and
    /// what stands around a value (a journal page has three levels) counts for them.</summary>
    public const int MaxDepth = 60;

    /// <summary>Levels that are read where deeper values are to be refused one by one, or were stored by earlier versions.</summary>
    public const int MaxStoredDepth = 1_000;

    // A path is for people: the beginning of a deep one is enough.
    private const int MaxPathLength = 200;

    private const int EscapeLength = 6; // \uXXXX

    /// <summary>Finds the first fault of one JSON value.</summary>
    /// <returns>Null where there is none.</returns>
    public static JsonTextFault? Find(ReadOnlySpan<byte> utf8, JsonTextRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (!Utf8.IsValid(utf8))
            return new JsonTextFault(ErrorCode.InvalidJson, "", "is not valid UTF-8.");
        if (FindSyntaxFault(utf8, rules) is { } fault)
            return fault;
        if (FindEscape(utf8, 0, wantsNul: false) is >= 0 and var half)
            return new JsonTextFault(ErrorCode.InvalidField, PathAt(utf8, half), "is not Unicode text: it has an unpaired surrogate.");
        if (rules.IsDocument && FindEscape(utf8, 0, wantsNul: true) is >= 0 and var nul)
            return new JsonTextFault(ErrorCode.InvalidField, PathAt(utf8, nul), "must not contain NUL (\\u0000).");
        return null;
    }

    /// <summary>Throws where a JSON value has a fault.</summary>
    /// <exception cref="DunlinException">The fault, naming its place.</exception>
    public static void Check(ReadOnlySpan<byte> utf8, JsonTextRules rules, string prefix = "")
    {
        if (Find(utf8, rules) is { } fault)
            throw fault.ToException(prefix);
    }

    /// <summary>
    /// Whether every escape of a JSON text is, alone or in a pair, a character. A search for backslashes: as cheap as a copy.
    /// </summary>
    public static bool IsUnicode(ReadOnlySpan<byte> utf8) => FindEscape(utf8, 0, wantsNul: false) < 0;

    /// <summary>The value of a member of an object, as it stands in the text; the last one where a member stands twice.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="JsonException">The text is not valid JSON.</exception>
    public static ReadOnlyMemory<byte>? Member(ReadOnlyMemory<byte> utf8, ReadOnlySpan<byte> name)
    {
        ReadOnlyMemory<byte>? found = null;
        foreach (var member in Members(utf8) ?? [])
        {
            if (member.Name.Span.SequenceEqual(name))
                found = member.Value;
        }
        return found;
    }

    /// <summary>Whether an escape of a JSON text is NUL.</summary>
    public static bool HoldsNul(ReadOnlySpan<byte> utf8) => FindEscape(utf8, 0, wantsNul: true) >= 0;

    /// <summary>The text with every half of a surrogate pair replaced by U+FFFD, byte for byte at the same places: for reading the rest
    /// of a text of which a part is to be refused.</summary>
    public static ReadOnlyMemory<byte> Repair(ReadOnlyMemory<byte> utf8)
    {
        var at = FindEscape(utf8.Span, 0, wantsNul: false);
        if (at < 0)
            return utf8;
        var repaired = utf8.ToArray();
        for (; at >= 0; at = FindEscape(repaired, at + EscapeLength, wantsNul: false))
            "\\ufffd"u8.CopyTo(repaired.AsSpan(at));
        return repaired;
    }

    /// <summary>The items of an array, each as it stands in the text.</summary>
    /// <returns>Null where the text is no array.</returns>
    /// <exception cref="JsonException">The text is not valid JSON.</exception>
    public static List<ReadOnlyMemory<byte>>? Items(ReadOnlyMemory<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { MaxDepth = MaxStoredDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var items = new List<ReadOnlyMemory<byte>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            items.Add(Slice(ref reader, utf8));
        reader.Read(); // throws on anything after the value
        return items;
    }

    /// <summary>The members of an object in their order, each name as it is written (without quotes, escapes as they are) and each
    /// value as it stands in the text.</summary>
    /// <returns>Null where the text is no object.</returns>
    /// <exception cref="JsonException">The text is not valid JSON.</exception>
    public static List<(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value)>? Members(ReadOnlyMemory<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { MaxDepth = MaxStoredDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        var members = new List<(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value)>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = utf8.Slice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
            reader.Read();
            members.Add((name, Slice(ref reader, utf8)));
        }
        reader.Read(); // throws on anything after the value
        return members;
    }

    private static ReadOnlyMemory<byte> Slice(ref Utf8JsonReader reader, ReadOnlyMemory<byte> utf8)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return utf8[start..(int)reader.BytesConsumed];
    }

    private static JsonTextFault? FindSyntaxFault(ReadOnlySpan<byte> utf8, JsonTextRules rules)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxStoredDepth });
        var names = rules.IsDocument ? new Stack<HashSet<string>>() : null;
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        if (reader.CurrentDepth >= rules.MaxDepth)
                            return TooDeep(utf8, (int)reader.TokenStartIndex, rules);
                        if (reader.TokenType == JsonTokenType.StartObject)
                            names?.Push(new HashSet<string>(StringComparer.Ordinal));
                        break;
                    case JsonTokenType.EndObject:
                        names?.Pop();
                        break;
                    case JsonTokenType.PropertyName when names is not null:
                        if (!names.Peek().Add(NameOf(ref reader)))
                            return new JsonTextFault(ErrorCode.InvalidJson, PathAt(utf8, (int)reader.TokenStartIndex), "stands twice.");
                        break;
                    case JsonTokenType.Number when rules.IsDocument:
                        if (!Utf8Parser.TryParse(reader.ValueSpan, out double number, out _) || !double.IsFinite(number))
                            return new JsonTextFault(
                                ErrorCode.InvalidField,
                                PathAt(utf8, (int)reader.TokenStartIndex),
                                "is a number out of range: a 64-bit float cannot hold it."
                            );
                        break;
                    default:
                        break;
                }
            }
            return null;
        }
        catch (JsonException exception)
        {
            return reader.CurrentDepth >= rules.MaxDepth
                ? TooDeep(utf8, (int)reader.TokenStartIndex, rules)
                : new JsonTextFault(
                    ErrorCode.InvalidJson,
                    "",
                    $"is not valid JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}."
                );
        }
    }

    // A name with half a surrogate pair cannot be read; as it is written it still is itself.
    private static string NameOf(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped && FindEscape(reader.ValueSpan, 0, wantsNul: false) >= 0
            ? Encoding.UTF8.GetString(reader.ValueSpan)
            : reader.GetString()!;

    private static JsonTextFault TooDeep(ReadOnlySpan<byte> utf8, int at, JsonTextRules rules) =>
        new(ErrorCode.InvalidJson, PathAt(utf8, at), $"is nested deeper than {rules.MaxDepth} levels.");

    /// <summary>The next escape after <paramref name="from"/> that is half a pair, or NUL; -1 where there is none. A backslash stands in
    /// texts only, so that the syntax around it need not be known.</summary>
    private static int FindEscape(ReadOnlySpan<byte> utf8, int from, bool wantsNul)
    {
        var at = from;
        while (at < utf8.Length && utf8[at..].IndexOf((byte)'\\') is >= 0 and var distance)
        {
            at += distance;
            if (Unit(utf8, at) is not { } unit)
            {
                at += 2;
                continue;
            }
            if (wantsNul ? unit == 0 : char.IsLowSurrogate(unit))
                return at;
            var isPair = char.IsHighSurrogate(unit) && Unit(utf8, at + EscapeLength) is { } low && char.IsLowSurrogate(low);
            if (char.IsHighSurrogate(unit) && !isPair && !wantsNul)
                return at;
            at += isPair ? 2 * EscapeLength : EscapeLength;
        }
        return -1;
    }

    /// <summary>The UTF-16 unit of the escape at a place; null where there is none.</summary>
    private static char? Unit(ReadOnlySpan<byte> utf8, int at)
    {
        if (at + EscapeLength > utf8.Length || utf8[at] != '\\' || utf8[at + 1] != 'u')
            return null;
        return Utf8Parser.TryParse(utf8.Slice(at + 2, 4), out ushort unit, out var read, 'x') && read == 4 ? (char)unit : null;
    }

    /// <summary>The path of the token that holds a byte.</summary>
    private static string PathAt(ReadOnlySpan<byte> utf8, int offset)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxStoredDepth });
        var levels = new Stack<(string Name, int Index)>(); // of an object the member, of an array the item
        try
        {
            while (reader.Read())
            {
                var isEnd = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
                if (isEnd)
                    levels.Pop();
                else if (reader.TokenType == JsonTokenType.PropertyName)
                    levels.Push((Encoding.UTF8.GetString(reader.ValueSpan), levels.Pop().Index));
                else if (levels.TryPeek(out var level) && level.Index >= 0)
                    levels.Push((levels.Pop().Name, level.Index + 1));
                if (reader.BytesConsumed > offset)
                    break;
                if (reader.TokenType == JsonTokenType.StartArray)
                    levels.Push(("", 0));
                else if (reader.TokenType == JsonTokenType.StartObject)
                    levels.Push(("", -1));
            }
        }
        catch (JsonException)
        {
            // Deeper than is read: the path so far.
        }
        return Join(levels);
    }

    private static string Join(Stack<(string Name, int Index)> levels)
    {
        var path = new StringBuilder();
        foreach (var (name, index) in levels.Reverse())
        {
            if (path.Length > MaxPathLength)
                return path.Append('…').ToString();
            if (index > 0)
                path.Append(System.Globalization.CultureInfo.InvariantCulture, $"[{index - 1}]");
            else if (index < 0)
                path.Append(path.Length > 0 ? "." : "").Append(name);
        }
        return path.ToString();
    }
}
