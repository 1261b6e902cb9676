using System.Buffers;
using System.Text.Json;
using Dunlin.Json;

namespace Dunlin.RxDb;

/// <summary>Serialises documents in RxDB's wire format, which always has <c>_deleted</c>.</summary>
internal static class WireDocuments
{
    /// <summary>Returns an existing document: the stored object with <c>_deleted</c> before its other members.</summary>
    public static byte[] Living(ReadOnlySpan<byte> stored)
    {
        var rest = stored[(stored.IndexOf((byte)'{') + 1)..];
        var isEmpty = rest.TrimStart(" \t\r\n"u8)[0] == '}';
        return [.. "{\"_deleted\":false"u8, .. isEmpty ? ""u8 : ","u8, .. rest];
    }

    /// <summary>Returns a document that is deleted or no longer visible, without its values.</summary>
    public static byte[] Gone(RxCollection collection, string id)
    {
        var document = collection.Tombstone.DeepClone().AsObject();
        document[collection.PrimaryKey] = id;
        document["_deleted"] = true;
        return JsonSerializer.SerializeToUtf8Bytes(document);
    }

    /// <summary>Returns the client's document marked as deleted, for a client that may not have the document at all.</summary>
    /// <remarks>The members are copied as they were sent, so that invalid ones need not be parsed. The mark is the last member, because
    /// parsers use the last of repeated members.</remarks>
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
