using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Dunlin.Yjs;

/// <summary>Encodes a text as a Yjs update (version 1) that inserts it into an empty shared text.</summary>
internal static class YjsText
{
    private const byte ContentString = 4;
    private const byte ParentIsRoot = 1;

    /// <summary>Returns the update. Its client is random, because two updates of one client and clock are the same edit to Yjs.</summary>
    public static byte[] Insert(string name, string text)
    {
        var update = new ArrayBufferWriter<byte>(name.Length + text.Length + 64);
        Write(update, 1); // clients
        Write(update, 1); // structs of the client
        Write(update, BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint))));
        Write(update, 0); // clock
        Write(update, ContentString); // without neighbours
        Write(update, ParentIsRoot);
        Write(update, name);
        Write(update, text);
        Write(update, 0); // deletions
        return update.WrittenSpan.ToArray();
    }

    private static void Write(ArrayBufferWriter<byte> update, string text)
    {
        Write(update, (uint)Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, update);
    }

    // Seven bits a byte, the lowest first.
    private static void Write(ArrayBufferWriter<byte> update, uint number)
    {
        for (; number >= 0x80; number >>= 7)
            update.Write([(byte)(number | 0x80)]);
        update.Write([(byte)number]);
    }
}
