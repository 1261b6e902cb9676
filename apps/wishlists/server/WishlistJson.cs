using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Records;

namespace Dunlin.Apps.Wishlists;

/// <summary>Documents to and from JSON.</summary>
internal static class WishlistJson
{
    public static T Read<T>(RecordRow row) => JsonSerializer.Deserialize<T>(row.Value.Span, JsonSerializerOptions.Web)!;

    /// <summary>Makes a pushed document what the rules have made of it.</summary>
    public static void Replace<T>(JsonObject target, T document)
    {
        var source = JsonSerializer.SerializeToNode(document, JsonSerializerOptions.Web)!.AsObject();
        target.Clear();
        foreach (var (name, value) in source)
            target[name] = value?.DeepClone();
    }
}
