using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Dunlin.Journal;

/// <summary>
/// A place in the journal: everything up to and including <see cref="Offset"/> lies before it. On the wire
/// <c>epoch-offset</c>, for example <c>9f3c21aa-1042</c>: short and of <c>[0-9a-f-]</c> only, so that it can travel
/// in <c>Last-Event-ID</c> across origins without a preflight.
/// </summary>
/// <param name="Epoch">Names one history. A journal that is created anew or restored gets another epoch, and
/// positions of different epochs cannot be compared.</param>
/// <param name="Offset">The number of the last event included; 0 is before the first event.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
public readonly record struct Position(uint Epoch, long Offset) : IComparable<Position>, ISpanParsable<Position>
{
    /// <summary>The longest text of a position: eight hexadecimal digits, a hyphen, nineteen digits.</summary>
    public const int MaxLength = 28;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:x8}-{Offset}");

    /// <summary>Orders two positions of one epoch.</summary>
    /// <exception cref="InvalidOperationException">The epochs differ: there is no order between two histories.</exception>
    public int CompareTo(Position other) =>
        Epoch == other.Epoch
            ? Offset.CompareTo(other.Offset)
            : throw new InvalidOperationException($"The positions {this} and {other} have different epochs and cannot be compared.");

    /// <summary>Writes the wire text as UTF-8.</summary>
    /// <param name="destination">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public int Format(Span<byte> destination)
    {
        Epoch.TryFormat(destination, out var epochLength, "x8", CultureInfo.InvariantCulture);
        destination[epochLength] = (byte)'-';
        Offset.TryFormat(destination[(epochLength + 1)..], out var offsetLength, default, CultureInfo.InvariantCulture);
        return epochLength + 1 + offsetLength;
    }

    /// <summary>Reads the wire text; nothing but the exact form that <see cref="ToString"/> writes is accepted.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Position position)
    {
        position = default;
        if (text.Length is < 10 or > MaxLength || text[8] != '-')
            return false;
        if (!uint.TryParse(text[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch))
            return false;
        if (!long.TryParse(text[9..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        position = new Position(epoch, offset);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out Position)"/>
    public static bool TryParse([NotNullWhen(true)] string? text, out Position position) => TryParse(text.AsSpan(), out position);

    /// <inheritdoc/>
    public static Position Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, out var position)
            ? position
            : throw new FormatException($"'{s}' is not a position. A position has the form 9f3c21aa-1042.");

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Position result) => TryParse(s, out result);

    /// <inheritdoc/>
    public static Position Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan(), provider);

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Position result) =>
        TryParse(s.AsSpan(), out result);

    /// <summary>Whether <paramref name="left"/> lies before <paramref name="right"/>.</summary>
    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> lies after <paramref name="right"/>.</summary>
    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> does not lie after <paramref name="right"/>.</summary>
    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> does not lie before <paramref name="right"/>.</summary>
    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;
}
