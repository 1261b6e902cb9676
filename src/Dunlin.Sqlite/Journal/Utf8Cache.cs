using System.Text;

namespace Dunlin.Sqlite.Journal;

/// <summary>Caches strings by their UTF-8 bytes, because thousands of events share a few types and users. Not thread-safe.</summary>
internal sealed class Utf8Cache
{
    // A power of two, so that a mask yields the slot.
    private const int Slots = 512;

    // Longer texts rarely recur.
    private const int MaxLength = 64;

    private readonly (byte[] Bytes, string Text)[] _slots = new (byte[], string)[Slots];

    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxLength)
            return Encoding.UTF8.GetString(utf8);
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref var slot = ref _slots[hash.ToHashCode() & (Slots - 1)];
        if (slot.Bytes is null || !utf8.SequenceEqual(slot.Bytes))
            slot = (utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        return slot.Text;
    }
}
