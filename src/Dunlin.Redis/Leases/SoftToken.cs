using System.Globalization;

namespace Dunlin.Redis.Leases;

/// <summary>The fencing token of a soft lease: larger than that of every grant before, in all resources, whatever became of Redis in
/// between. Whoever is written to remembers the largest that it has seen and refuses smaller ones.</summary>
/// <param name="Epoch">Of the life of Redis' data; from the store, which gives each number once.</param>
/// <param name="Number">Of the grant, within the epoch.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
public readonly record struct SoftToken(long Epoch, long Number) : IComparable<SoftToken>
{
    /// <inheritdoc/>
    public int CompareTo(SoftToken other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Number.CompareTo(other.Number);

    /// <summary><c>epoch.number</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Number}");

    /// <summary>Whether the grant of <paramref name="left"/> was before that of <paramref name="right"/>.</summary>
    public static bool operator <(SoftToken left, SoftToken right) => left.CompareTo(right) < 0;

    /// <summary>Whether the grant of <paramref name="left"/> was after that of <paramref name="right"/>.</summary>
    public static bool operator >(SoftToken left, SoftToken right) => left.CompareTo(right) > 0;

    /// <summary>Whether the grant of <paramref name="left"/> was not after that of <paramref name="right"/>.</summary>
    public static bool operator <=(SoftToken left, SoftToken right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the grant of <paramref name="left"/> was not before that of <paramref name="right"/>.</summary>
    public static bool operator >=(SoftToken left, SoftToken right) => left.CompareTo(right) >= 0;
}
