using System.Runtime.CompilerServices;

namespace Dunlin.Fuzz.Coverage;

/// <summary>The counters of executed blocks. Instrumented assemblies call <see cref="Hit"/> at the start of each block.</summary>
/// <remarks>Increments are not atomic: a lost count does not hide a block.</remarks>
public static class Probes
{
    /// <summary>The number of counters.</summary>
    public const int Capacity = 1 << 18;

    private static readonly byte[] Counters = new byte[Capacity];

    /// <summary>Gets the counters, one for each block.</summary>
    public static Span<byte> Counts => Counters;

    /// <summary>Counts one execution of a block. Counters stop at 255.</summary>
    /// <param name="block">The number of the block.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Hit(int block)
    {
        ref var count = ref Counters[block];
        if (count < byte.MaxValue)
            count++;
    }
}
