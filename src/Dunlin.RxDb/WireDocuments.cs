using System.Buffers;
using System.Text.Json;
using Dunlin.Json;

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
    /// member as it came: what is wrong with it need not be understood to be handed back. The mark stands last, because of a
    /// member that stands twice readers take the last.</summary>
    public static byte[] Refused(ReadOnlyMemory<byte> pushed)
    {
        var bytes = new ArrayBufferWriter<byte>(pushed.Length + 32);
        bytes.Write("{"u8);
        foreach (var (name, value) in JsonText.Members(pushed) ?? [])
        {
            if (name.Span.SequenceEqual("_deleted"u8))
                continue;
            bytes.Write("\""u8);
            bytes.Write(name.Span);
            bytes.Write("\":"u8);
            bytes.Write(value.Span);
            bytes.Write(","u8);
        }
        bytes.Write("\"_deleted\":true}"u8);
        return bytes.WrittenSpan.ToArray();
    }
}
