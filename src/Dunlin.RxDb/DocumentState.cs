using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dunlin.RxDb;

/// <summary>The part of a document that conflict detection compares: whether it is deleted, and the client's fields in their stored form.
/// Server fields are excluded, because each change by the server would otherwise be a conflict.</summary>
internal sealed class DocumentState
{
    private DocumentState(bool isDeleted, JsonObject fields) => (IsDeleted, Fields) = (isDeleted, fields);

    public bool IsDeleted { get; }

    /// <summary>Gets the client's fields, normalised. Each node has this object as its parent: clone a node to use it elsewhere.</summary>
    public JsonObject Fields { get; }

    /// <summary>Gets the state of a deleted document, without values.</summary>
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

    /// <summary>Returns whether two states are equal. Two deleted documents are equal with any fields. An absent field equals a null
    /// field.</summary>
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
