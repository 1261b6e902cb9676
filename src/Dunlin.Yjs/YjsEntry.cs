using System.Buffers.Binary;
using Dunlin.Diagnostics;

namespace Dunlin.Yjs;

/// <summary>What an entry of a document's stream holds.</summary>
internal enum YjsEntryKind : byte
{
    Update = 1,
    Snapshot = 2,
}

/// <summary>An entry of a document's stream: kind, length (4 bytes, big-endian), Yjs update of version 1.</summary>
/// <remarks>The stream of a document, and so the response to its readers, is a sequence of entries. The length lets a reader of events join
/// an entry that the engine stores in pieces. The kind is no zero byte, so the base64 of an entry is never JSON.</remarks>
internal static class YjsEntry
{
    public const int HeaderBytes = 5;

    /// <summary>An update without structs and deletions has two zero bytes.</summary>
    private const int MinBytes = 2;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the update is empty.</exception>
    public static ReadOnlyMemory<byte> Encode(YjsEntryKind kind, ReadOnlySpan<byte> update)
    {
        if (update.Length < MinBytes || update is [0, 0])
            throw new DunlinException(ErrorCode.InvalidField, "The body must be a Yjs update (version 1) that is not empty.", "body");
        var entry = new byte[HeaderBytes + update.Length];
        entry[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(entry.AsSpan(1), update.Length);
        update.CopyTo(entry.AsSpan(HeaderBytes));
        return entry;
    }
}
