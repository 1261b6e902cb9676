using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.Records;

namespace Dunlin.RxDb.Push;

/// <summary>A row of a push request. Immutable.</summary>
/// <param name="Id">The primary key of the document.</param>
/// <param name="Document">The new state of the document on the client.</param>
/// <param name="Assumed">The state that the client assumes on the server. Null for a new document.</param>
internal sealed record PushRow(string Id, JsonElement Document, JsonElement? Assumed)
{
    /// <summary>Gets <see cref="Document"/> as UTF-8 text of the request, for the response to a refused row.</summary>
    public required ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>Gets whether the row contains JSON that no document may contain: an unpaired surrogate, NUL, a repeated member, or a number
    /// out of range.</summary>
    public bool HasTextFault { get; init; }

    /// <summary>Returns whether the id can be looked up. Stores cannot look up NUL.</summary>
    public bool HasId(RxCollection collection) =>
        Id.Length > 0 && collection.KeyOf(Id).Length <= RecordLimits.MaxKeyLength && !Id.Any(char.IsControl);

    /// <summary>Returns the error code of an invalid row, or null if the row is valid.</summary>
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

/// <summary>Parses the body of a push. A body that no RxDB client sends fails the whole request. All other errors fail single
/// rows.</summary>
internal static class PushRequest
{
    // The depth leaves room for deep documents, so that only these documents are refused.
    private const int MaxDepth = JsonText.MaxStoredDepth;

    private static readonly JsonTextRules Rules = JsonTextRules.Document with { MaxDepth = MaxDepth };

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidJson"/>: the body is not JSON. <see cref="ErrorCode.InvalidField"/>: a
    /// row is malformed; the error names its path. <see cref="ErrorCode.TooLarge"/>: the push has too many rows.</exception>
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
        // System.Text.Json throws in unexpected places on text that no document may contain, so that text is replaced before parsing.
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
        // An id with replaced characters is invalid.
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
