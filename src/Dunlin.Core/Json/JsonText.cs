using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Diagnostics;

namespace Dunlin.Json;

/// <summary>The rules for JSON text, in addition to RFC 8259. Immutable.</summary>
/// <param name="MaxDepth">The maximum number of nested objects and arrays.</param>
/// <param name="IsDocument">Whether the server reads the values. Then an object must not repeat a member, a string must not contain NUL
/// (PostgreSQL cannot store it), and a number must be finite as a 64-bit float. If false, the bytes are passed on unchanged.</param>
internal sealed record JsonTextRules(int MaxDepth, bool IsDocument)
{
    /// <summary>Gets the rules for data that is passed on: the data of events.</summary>
    public static JsonTextRules Data { get; } = new(JsonText.MaxDepth, IsDocument: false);

    /// <summary>Gets the rules for data that the server reads: bodies, documents, arguments and records.</summary>
    public static JsonTextRules Document { get; } = new(JsonText.MaxDepth, IsDocument: true);
}

/// <summary>A fault in a JSON text. Immutable.</summary>
/// <param name="Code"><see cref="ErrorCode.InvalidJson"/> for syntax, depth and repeated members; <see cref="ErrorCode.InvalidField"/> for
/// values.</param>
/// <param name="Path">The path of the fault, such as <c>items[2].name</c>; empty for the whole value. Escaped names stay escaped.</param>
/// <param name="Reason">The reason, as the end of a sentence.</param>
internal sealed record JsonTextFault(ErrorCode Code, string Path, string Reason)
{
    /// <summary>Returns the error for this fault.</summary>
    /// <param name="prefix">The path of the text within the request; empty for the whole body.</param>
    public DunlinException ToException(string prefix = "")
    {
        var field = prefix.Length == 0 || Path.Length == 0 || Path[0] == '[' ? prefix + Path : $"{prefix}.{Path}";
        return field.Length == 0
            ? new DunlinException(Code, $"The body {Reason}")
            : new DunlinException(Code, $"'{field}' {Reason}", field);
    }
}

/// <summary>Validates and splits JSON text. Thread-safe. Allocates only if there is a fault.</summary>
/// <remarks>
/// Validate before deserialising: System.Text.Json accepts escapes of unpaired surrogates as valid JSON, and throws later, when the string
/// is read.
/// </remarks>
internal static class JsonText
{
    /// <summary>The maximum nesting of values that are stored or passed on: 60 levels.</summary>
    /// <remarks>
    /// Readers commonly accept 64 levels (the default of System.Text.Json), including the enclosing document. A journal page adds three
    /// levels.
    /// </remarks>
    public const int MaxDepth = 60;

    /// <summary>
    /// The maximum nesting that is parsed: 1,000 levels. For reading stored values of earlier versions and for reporting values that are
    /// too deep.
    /// </summary>
    public const int MaxStoredDepth = 1_000;

    // Paths are for people: the beginning of a long one is enough.
    private const int MaxPathLength = 200;

    private const int EscapeLength = 6; // \uXXXX

    /// <summary>Returns the first fault of a JSON value.</summary>
    /// <param name="utf8">The text as UTF-8.</param>
    /// <param name="rules">The rules.</param>
    /// <returns>The fault; null if there is none.</returns>
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

    /// <summary>Throws if a JSON value has a fault.</summary>
    /// <param name="utf8">The text as UTF-8.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="prefix">The path of the text within the request; empty for the whole body.</param>
    /// <exception cref="DunlinException">The text has a fault; the error names its path.</exception>
    public static void Check(ReadOnlySpan<byte> utf8, JsonTextRules rules, string prefix = "")
    {
        if (Find(utf8, rules) is { } fault)
            throw fault.ToException(prefix);
    }

    /// <summary>
    /// Returns whether a JSON text has no escapes of unpaired surrogates. Searches for backslashes only, so it is as cheap as a copy.
    /// </summary>
    /// <param name="utf8">The text as UTF-8.</param>
    public static bool IsUnicode(ReadOnlySpan<byte> utf8) => FindEscape(utf8, 0, wantsNul: false) < 0;

    /// <summary>Returns the text of the value of an object's member. If the member is repeated, the last one counts.</summary>
    /// <param name="utf8">The object as UTF-8.</param>
    /// <param name="name">The name of the member, as it is written in the text.</param>
    /// <returns>The text of the value; null if there is no such member.</returns>
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

    /// <summary>Returns whether a JSON text contains an escaped NUL.</summary>
    /// <param name="utf8">The text as UTF-8.</param>
    public static bool HoldsNul(ReadOnlySpan<byte> utf8) => FindEscape(utf8, 0, wantsNul: true) >= 0;

    /// <summary>
    /// Returns the text with each escape of an unpaired surrogate replaced by <c>\ufffd</c>. All other bytes keep their offsets.
    /// </summary>
    /// <remarks>For reading the valid part of a text of which another part is rejected.</remarks>
    /// <param name="utf8">The text as UTF-8.</param>
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

    /// <summary>Returns the texts of the items of an array.</summary>
    /// <param name="utf8">The array as UTF-8.</param>
    /// <returns>The items; null if the text is not an array.</returns>
    /// <exception cref="JsonException">The text is not valid JSON.</exception>
    public static List<ReadOnlyMemory<byte>>? Items(ReadOnlyMemory<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { MaxDepth = MaxStoredDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var items = new List<ReadOnlyMemory<byte>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            items.Add(Slice(ref reader, utf8));
        reader.Read(); // throws if there is text after the value
        return items;
    }

    /// <summary>
    /// Returns the members of an object in their order, each with the texts of its name (without quotes, escapes unchanged) and value.
    /// </summary>
    /// <param name="utf8">The object as UTF-8.</param>
    /// <returns>The members; null if the text is not an object.</returns>
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
        reader.Read(); // throws if there is text after the value
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

    // A name with an unpaired surrogate cannot be decoded: compare its written form.
    private static string NameOf(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped && FindEscape(reader.ValueSpan, 0, wantsNul: false) >= 0
            ? Encoding.UTF8.GetString(reader.ValueSpan)
            : reader.GetString()!;

    private static JsonTextFault TooDeep(ReadOnlySpan<byte> utf8, int at, JsonTextRules rules) =>
        new(ErrorCode.InvalidJson, PathAt(utf8, at), $"is nested deeper than {rules.MaxDepth} levels.");

    /// <summary>
    /// Returns the next escape of an unpaired surrogate, or of NUL, at or after <paramref name="from"/>; -1 if there is none.
    /// </summary>
    /// <remarks>A backslash occurs only in JSON strings, so the search need not parse the text.</remarks>
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

    /// <summary>Returns the UTF-16 code unit of the escape at an offset; null if there is none.</summary>
    private static char? Unit(ReadOnlySpan<byte> utf8, int at)
    {
        if (at + EscapeLength > utf8.Length || utf8[at] != '\\' || utf8[at + 1] != 'u')
            return null;
        return Utf8Parser.TryParse(utf8.Slice(at + 2, 4), out ushort unit, out var read, 'x') && read == 4 ? (char)unit : null;
    }

    /// <summary>Returns the path of the token that contains a byte.</summary>
    private static string PathAt(ReadOnlySpan<byte> utf8, int offset)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxStoredDepth });
        var levels = new Stack<(string Name, int Index)>(); // Name: member of an object. Index: item of an array, -1 in an object
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
            // The text is nested too deeply to parse: return the path so far.
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
