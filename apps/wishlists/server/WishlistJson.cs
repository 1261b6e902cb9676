using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Records;

namespace Dunlin.Apps.Wishlists;

/// <summary>Converts documents to and from JSON.</summary>
internal static class WishlistJson
{
    public static T Read<T>(RecordRow row) => JsonSerializer.Deserialize<T>(row.Value.Span, JsonSerializerOptions.Web)!;

    /// <summary>Overwrites a pushed document with the result of the rules.</summary>
    public static void Replace<T>(JsonObject target, T document)
    {
        var source = JsonSerializer.SerializeToNode(document, JsonSerializerOptions.Web)!.AsObject();
        target.Clear();
        foreach (var (name, value) in source)
            target[name] = value?.DeepClone();
    }
}
