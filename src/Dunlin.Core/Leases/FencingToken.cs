using System.Globalization;
using System.Runtime.InteropServices;

namespace Dunlin.Leases;

/// <summary>
/// A fencing token, which orders the grants of leases: a later grant has a larger token, across all resources and restarts. Immutable.
/// </summary>
/// <remarks>
/// Send it with every write to a system outside the store. That system must reject a token smaller than the largest one it has seen.
/// </remarks>
/// <param name="Epoch">0 for leases of the store. For soft leases, the lifetime of the Redis data in which the grant was made.</param>
/// <param name="Number">The number of the grant within its epoch.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct FencingToken(long Epoch, long Number) : IComparable<FencingToken>
{
    /// <summary>Creates the token of a lease of the store.</summary>
    /// <param name="number">The number of the grant.</param>
    public static FencingToken FromInt64(long number) => new(0, number);

    /// <inheritdoc/>
    public int CompareTo(FencingToken other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Number.CompareTo(other.Number);

    /// <summary>Returns the number, or <c>epoch.number</c> if the epoch is not 0.</summary>
    public override string ToString() =>
        Epoch == 0 ? Number.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Number}");

    /// <summary>Converts the number that a client sends into the token of a lease of the store.</summary>
    public static implicit operator FencingToken(long number) => FromInt64(number);

    /// <summary>Returns whether <paramref name="left"/> was granted before <paramref name="right"/>.</summary>
    public static bool operator <(FencingToken left, FencingToken right) => left.CompareTo(right) < 0;

    /// <summary>Returns whether <paramref name="left"/> was granted after <paramref name="right"/>.</summary>
    public static bool operator >(FencingToken left, FencingToken right) => left.CompareTo(right) > 0;

    /// <summary>Returns whether <paramref name="left"/> was granted before <paramref name="right"/> or is the same token.</summary>
    public static bool operator <=(FencingToken left, FencingToken right) => left.CompareTo(right) <= 0;

    /// <summary>Returns whether <paramref name="left"/> was granted after <paramref name="right"/> or is the same token.</summary>
    public static bool operator >=(FencingToken left, FencingToken right) => left.CompareTo(right) >= 0;
}
