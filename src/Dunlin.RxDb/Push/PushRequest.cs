using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Records;

namespace Dunlin.RxDb.Push;

/// <summary>One row of a push.</summary>
/// <param name="Id">The primary key of the document.</param>
/// <param name="Document">What the client has made of it.</param>
/// <param name="Assumed">What the client believes the server has; null where it has never heard of it.</param>
internal sealed record PushRow(string Id, JsonElement Document, JsonElement? Assumed)
{
    /// <summary><see cref="Document"/> as it came, for the answer to a row that is refused.</summary>
    public required ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>
    /// Whether the row is JSON that no document can hold: half a surrogate pair, NUL, a member twice, a number out of range.
    /// </summary>
    public bool HasTextFault { get; init; }

    /// <summary>Whether the id can be looked for: a store is not asked for NUL.</summary>
    public bool HasId(RxCollection collection) =>
        Id.Length > 0 && collection.KeyOf(Id).Length <= RecordLimits.MaxKeyLength && !Id.Any(char.IsControl);

    /// <summary>What keeps the row from being looked at any further; null where nothing does.</summary>
    public string? Fault(RxCollection collection, RxDbOptions options)
    {
        if (HasTextFault || !HasId(collection))
            return ErrorCode.InvalidField.Code;
        if (System.Text.Encoding.UTF8.GetByteCount(Document.GetRawText()) > options.MaxDocumentBytes)
            return ErrorCode.TooLarge.Code;
        return IsDeeper(Document, options.MaxDocumentDepth) ? ErrorCode.InvalidField.Code : null;
    }

    private static bool IsDeeper(JsonElement element, int depth)
    {
        if (element.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            return false;
        if (depth == 0)
            return true;
        return element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject().Any(member => IsDeeper(member.Value, depth - 1))
            : element.EnumerateArray().Any(item => IsDeeper(item, depth - 1));
    }
}

/// <summary>Reads the body of a push. What no RxDB client sends is an error of the request; everything else is judged row by row.</summary>
internal static class PushRequest
{
    // Room for deep documents, each of which is then refused alone.
    private const int MaxDepth = JsonText.MaxStoredDepth;

    private static readonly JsonTextRules Rules = JsonTextRules.Document with { MaxDepth = MaxDepth };

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidJson"/>; <see cref="ErrorCode.InvalidField"/> naming the place;
    /// <see cref="ErrorCode.TooLarge"/>.</exception>
    public static IReadOnlyList<PushRow> Read(ReadOnlyMemory<byte> body, RxCollection collection, RxDbOptions options)
    {
        var items = Items(body) ?? throw new DunlinException(ErrorCode.InvalidField, "The body must be an array of rows.");
        if (items.Count > options.MaxPushRows)
        {
            throw new DunlinException(ErrorCode.TooLarge, $"The push has more than {options.MaxPushRows} rows. Split it.")
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = options.MaxPushRows },
            };
        }
        return [.. items.Select((item, i) => Row(item, collection, $"[{i}]"))];
    }

    private static PushRow Row(ReadOnlyMemory<byte> text, RxCollection collection, string path)
    {
        // What no document can hold makes System.Text.Json throw in unexpected places, so it is read without it.
        var hasFault = JsonText.Find(text.Span, Rules) is not null;
        var readable = hasFault ? JsonText.Repair(text) : text;
        var item = JsonElement.Parse(readable.Span, new JsonDocumentOptions { MaxDepth = MaxDepth });
        if (
            item.ValueKind != JsonValueKind.Object
            || !item.TryGetProperty("newDocumentState", out var document)
            || document.ValueKind != JsonValueKind.Object
        )
            throw Wrong($"{path}.newDocumentState", "an object");
        if (!document.TryGetProperty(collection.PrimaryKey, out var id) || id.ValueKind != JsonValueKind.String)
            throw Wrong($"{path}.newDocumentState.{collection.PrimaryKey}", "a text");
        JsonElement? assumed =
            item.TryGetProperty("assumedMasterState", out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        if (assumed is { ValueKind: not JsonValueKind.Object })
            throw Wrong($"{path}.assumedMasterState", "an object");
        // An id that had to be repaired is none.
        var name = id.GetString()!;
        return new PushRow(hasFault && name.Contains('\ufffd', StringComparison.Ordinal) ? "" : name, document, assumed)
        {
            Raw = JsonText.Member(text, "newDocumentState"u8) ?? JsonSerializer.SerializeToUtf8Bytes(document),
            HasTextFault = hasFault,
        };
    }

    private static List<ReadOnlyMemory<byte>>? Items(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonText.Items(body);
        }
        catch (JsonException exception)
        {
            throw new DunlinException(
                ErrorCode.InvalidJson,
                $"The body is not valid JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.",
                null,
                exception
            );
        }
    }

    private static DunlinException Wrong(string path, string expected) =>
        new(ErrorCode.InvalidField, $"'{path}' must be {expected}.", path);
}
