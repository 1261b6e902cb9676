using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Dunlin.Fuzz.Coverage;

/// <summary>What a target has reached so far: for each block the numbers of executions, in classes. Not thread-safe.</summary>
internal sealed class CoverageMap
{
    private readonly byte[] _seen = new byte[Probes.Capacity];

    private CoverageMap(IReadOnlyList<TypeBlocks> types) => (Types, Total) = (types, types.Sum(static type => type.Count));

    public IReadOnlyList<TypeBlocks> Types { get; }

    public int Total { get; }

    /// <summary>Gets the number of reached blocks.</summary>
    public int Reached { get; private set; }

    public static CoverageMap Load()
    {
        var manifest = Path.Combine(AppContext.BaseDirectory, Instrumenter.Manifest);
        return new CoverageMap(File.Exists(manifest) ? JsonSerializer.Deserialize<List<TypeBlocks>>(File.ReadAllText(manifest))! : []);
    }

    /// <summary>Adds the counters of one execution and clears them.</summary>
    /// <returns>Whether a block or a class of a number of executions is new.</returns>
    public bool Add()
    {
        var isNew = false;
        var words = MemoryMarshal.Cast<byte, ulong>(Probes.Counts[..((Total + 7) & ~7)]);
        for (var word = 0; word < words.Length; word++)
        {
            if (words[word] == 0)
                continue;
            for (var block = word * 8; block < (word * 8) + 8; block++)
            {
                if (Probes.Counts[block] is > 0 and var count)
                    isNew |= Add(block, count);
            }
            words[word] = 0;
        }
        return isNew;
    }

    /// <summary>Returns the reached blocks and all blocks of the types whose names begin with one of the prefixes.</summary>
    public (int Reached, int Total) Of(IReadOnlyList<string> prefixes) =>
        Sum(Types.Where(type => prefixes.Any(prefix => type.Type.StartsWith(prefix, StringComparison.Ordinal))));

    public IEnumerable<(string Assembly, int Reached, int Total)> ByAssembly() =>
        Types
            .GroupBy(static type => type.Assembly, StringComparer.Ordinal)
            .Select(group => (group.Key, Sum(group).Reached, Sum(group).Total));

    public bool IsReached(int block) => _seen[block] != 0;

    /// <summary>Adds all that another map has reached.</summary>
    public void Add(CoverageMap other)
    {
        for (var block = 0; block < Total; block++)
        {
            if (_seen[block] == 0 && other._seen[block] != 0)
                Reached++;
            _seen[block] |= other._seen[block];
        }
    }

    private (int Reached, int Total) Sum(IEnumerable<TypeBlocks> types)
    {
        var (reached, total) = (0, 0);
        foreach (var type in types)
        {
            total += type.Count;
            reached += Enumerable.Range(type.First, type.Count).Count(IsReached);
        }
        return (reached, total);
    }

    // The classes of the numbers of executions are 1, 2, 3, 4 to 7, 8 to 15, and so on: one bit each.
    private bool Add(int block, byte count)
    {
        var bit = (byte)(
            1
            << (
                count < 4 ? count - 1
                : BitOperations.Log2(count) + 1 > 7 ? 7
                : BitOperations.Log2(count) + 1
            )
        );
        if ((_seen[block] & bit) != 0)
            return false;
        if (_seen[block] == 0)
            Reached++;
        _seen[block] |= bit;
        return true;
    }
}
