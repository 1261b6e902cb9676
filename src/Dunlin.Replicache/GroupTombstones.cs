using System.Security.Cryptography;
using System.Text;
using Dunlin.Records;

namespace Dunlin.Replicache;

/// <summary>Stores eight bytes of a hash for each removed client group, for ever. Not thread-safe.</summary>
/// <remarks>
/// The server has forgotten which mutations of a removed group it has applied, so it must never accept one again. Two ids with the same
/// hash are harmless: a client whose new group is refused starts another one, with a new random id. Only unknown groups are looked up, so a
/// group that the server knows is never refused.
/// </remarks>
internal sealed class GroupTombstones(IRecordTable records)
{
    private static readonly SpaceName Removed = SpaceName.Parse("dunlin.replicache/removed");

    private const int HashBytes = 8;

    // A row holds all hashes with the same first 12 bits, without separators: a million removed groups are 4,096 rows of 2 KB.
    private const int KeyDigits = 3;

    public async ValueTask<bool> HasAsync(string groupId, CancellationToken cancellationToken)
    {
        var hash = Hash(groupId);
        return await FindAsync(hash, cancellationToken) is { } row && Contains(row.Value.Span, hash);
    }

    public async ValueTask AddAsync(string groupId, CancellationToken cancellationToken)
    {
        var hash = Hash(groupId);
        var row = await FindAsync(hash, cancellationToken) ?? new RecordRow(Removed, Key(hash));
        if (Contains(row.Value.Span, hash))
            return;
        byte[] hashes = [.. row.Value.Span, .. hash];
        await records.SaveAsync(row with { Value = hashes }, cancellationToken);
    }

    private ValueTask<RecordRow?> FindAsync(byte[] hash, CancellationToken cancellationToken) =>
        records.FindAsync(Removed, Key(hash), cancellationToken);

    private static bool Contains(ReadOnlySpan<byte> hashes, ReadOnlySpan<byte> hash)
    {
        for (var at = 0; at < hashes.Length; at += HashBytes)
        {
            if (hashes.Slice(at, HashBytes).SequenceEqual(hash))
                return true;
        }
        return false;
    }

    private static byte[] Hash(string groupId) => SHA256.HashData(Encoding.UTF8.GetBytes(groupId))[..HashBytes];

    private static string Key(byte[] hash) => Convert.ToHexStringLower(hash)[..KeyDigits];
}
