using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Records;

namespace Dunlin.RxDb.Push;

/// <summary>One row of a push.</summary>
/// <param name="Id">The primary key of the document.</param>
/// <param name="Document">What the client has made of it.</param>
/// <param name="Assumed">What the client believes the server has; null where it has never heard of it.</param>
internal sealed record PushRow(string Id, JsonElement Document, JsonElement? Assumed)
{
    /// <summary>What keeps the row from being looked at any further; null where nothing does.</summary>
    public string? Fault(RxCollection collection, RxDbOptions options)
    {
        if (Id.Length == 0 || collection.KeyOf(Id).Length > RecordLimits.MaxKeyLength || Id.Any(char.IsControl))
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
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/> naming the place, <see cref="ErrorCode.TooLarge"/>.</exception>
    public static IReadOnlyList<PushRow> Read(JsonElement body, RxCollection collection, RxDbOptions options)
    {
        if (body.ValueKind != JsonValueKind.Array)
            throw new DunlinException(ErrorCode.InvalidField, "The body must be an array of rows.");
        if (body.GetArrayLength() > options.MaxPushRows)
        {
            throw new DunlinException(ErrorCode.TooLarge, $"A push has {options.MaxPushRows} rows at most.")
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = options.MaxPushRows },
            };
        }
        var rows = new List<PushRow>(body.GetArrayLength());
        foreach (var item in body.EnumerateArray())
            rows.Add(Row(item, collection, $"[{rows.Count}]"));
        return rows;
    }

    private static PushRow Row(JsonElement item, RxCollection collection, string path)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("newDocumentState", out var document) || document.ValueKind != JsonValueKind.Object)
            throw Wrong($"{path}.newDocumentState", "an object");
        if (!document.TryGetProperty(collection.PrimaryKey, out var id) || id.ValueKind != JsonValueKind.String)
            throw Wrong($"{path}.newDocumentState.{collection.PrimaryKey}", "a text");
        JsonElement? assumed = item.TryGetProperty("assumedMasterState", out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        if (assumed is { ValueKind: not JsonValueKind.Object })
            throw Wrong($"{path}.assumedMasterState", "an object");
        return new PushRow(Text(id), document, assumed);
    }

    // A lone surrogate, written as an escape, is valid JSON and no text: the row is refused for its empty id.
    private static string Text(JsonElement id)
    {
        try
        {
            return id.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }

    private static DunlinException Wrong(string path, string expected) => new(ErrorCode.InvalidField, $"'{path}' must be {expected}.", path);
}
