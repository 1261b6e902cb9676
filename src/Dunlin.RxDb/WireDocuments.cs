using System.Text;
using System.Text.Json;

namespace Dunlin.RxDb;

/// <summary>Documents as RxDB has them on the wire: with <c>_deleted</c>, always.</summary>
internal static class WireDocuments
{
    /// <summary>A living document: the stored object with <c>_deleted</c> before its other members.</summary>
    public static byte[] Living(ReadOnlySpan<byte> stored)
    {
        var rest = stored[(stored.IndexOf((byte)'{') + 1)..];
        var isEmpty = rest.TrimStart(" \t\r\n"u8)[0] == '}';
        return [.. "{\"_deleted\":false"u8, .. isEmpty ? ""u8 : ","u8, .. rest];
    }

    /// <summary>A document that is deleted, or is no longer to be seen: nothing of what it held.</summary>
    public static byte[] Gone(RxCollection collection, string id)
    {
        var document = collection.Tombstone.DeepClone().AsObject();
        document[collection.PrimaryKey] = id;
        document["_deleted"] = true;
        return JsonSerializer.SerializeToUtf8Bytes(document);
    }

    /// <summary>What the client has sent, marked deleted: the answer where it may not have the document at all. Member by
    /// member as it came: what is wrong with it need not be understood to be handed back.</summary>
    public static byte[] Refused(JsonElement pushed)
    {
        var text = new StringBuilder("{\"_deleted\":true");
        foreach (var member in pushed.EnumerateObject())
        {
            if (!member.NameEquals("_deleted"u8))
                text.Append(',').Append(member);
        }
        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }
}
