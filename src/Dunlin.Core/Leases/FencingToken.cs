using System.Globalization;
using System.Runtime.InteropServices;

namespace Dunlin.Leases;

/// <summary>
/// Orders the grants of leases: a later grant has a larger token, in all resources and across restarts. Send it with every write
/// to a system outside the store, and let that system refuse a token smaller than the largest that it has seen.
/// </summary>
/// <param name="Epoch">0 for leases of the store. For soft leases, the life of Redis' data that the grant belongs to.</param>
/// <param name="Number">Counts the grants of one epoch.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct FencingToken(long Epoch, long Number) : IComparable<FencingToken>
{
    /// <summary>Creates the token of a lease of the store.</summary>
    public static FencingToken FromInt64(long number) => new(0, number);

    /// <inheritdoc/>
    public int CompareTo(FencingToken other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Number.CompareTo(other.Number);

    /// <summary>Returns the number, or <c>epoch.number</c> where there is an epoch.</summary>
    public override string ToString() =>
        Epoch == 0 ? Number.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Number}");

    /// <summary>Converts the number that a client shows into the token of a lease of the store.</summary>
    public static implicit operator FencingToken(long number) => FromInt64(number);

    /// <summary>Whether <paramref name="left"/> was granted before <paramref name="right"/>.</summary>
    public static bool operator <(FencingToken left, FencingToken right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> was granted after <paramref name="right"/>.</summary>
    public static bool operator >(FencingToken left, FencingToken right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> was not granted after <paramref name="right"/>.</summary>
    public static bool operator <=(FencingToken left, FencingToken right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> was not granted before <paramref name="right"/>.</summary>
    public static bool operator >=(FencingToken left, FencingToken right) => left.CompareTo(right) >= 0;
}
