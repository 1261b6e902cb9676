using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dunlin.RxDb;

/// <summary>What two sides of a document are compared by: whether it is deleted, and the client's fields in the form that is
/// stored. The server's fields take no part, or each of its own changes would be a conflict.</summary>
internal sealed class DocumentState
{
    private DocumentState(bool isDeleted, JsonObject fields) => (IsDeleted, Fields) = (isDeleted, fields);

    public bool IsDeleted { get; }

    /// <summary>The client's fields, normalised. Each belongs to this object: clone it to put it elsewhere.</summary>
    public JsonObject Fields { get; }

    /// <summary>A deleted document without its values.</summary>
    public static DocumentState Deleted { get; } = new(true, []);

    public static DocumentState Of(RxCollection collection, JsonElement document)
    {
        if (IsMarkedDeleted(document))
            return Deleted;
        var fields = new JsonObject();
        foreach (var field in collection.ClientFields)
        {
            if (document.TryGetProperty(field, out var value))
                fields[field] = JsonNode.Parse(value.GetRawText());
        }
        collection.Normalize?.Invoke(fields);
        return new DocumentState(false, fields);
    }

    public static bool IsMarkedDeleted(JsonElement document) =>
        document.TryGetProperty("_deleted", out var mark) && mark.ValueKind == JsonValueKind.True;

    /// <summary>Deleted is deleted, whatever it held. An absent field and a null one say the same.</summary>
    public bool IsSame(DocumentState other)
    {
        if (IsDeleted || other.IsDeleted)
            return IsDeleted == other.IsDeleted;
        return Covers(Fields, other.Fields) && Covers(other.Fields, Fields);
    }

    private static bool Covers(JsonObject all, JsonObject some)
    {
        foreach (var (name, value) in some)
        {
            if (value is not null && !JsonNode.DeepEquals(value, all[name]))
                return false;
        }
        return true;
    }
}
