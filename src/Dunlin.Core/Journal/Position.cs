using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Dunlin.Journal;

/// <summary>A position in the journal: the state after the event with <see cref="Offset"/> and all earlier events. Immutable.</summary>
/// <remarks>
/// The wire text is <c>epoch-offset</c>, for example <c>9f3c21aa-1042</c>. It uses only the characters <c>[0-9a-f-]</c> and is short, so
/// that browsers send it in <c>Last-Event-ID</c> across origins without a CORS preflight.
/// </remarks>
/// <param name="Epoch">The id of one history of the journal. A journal that is created again or restored gets another epoch; positions of
/// different epochs have no order.</param>
/// <param name="Offset">The offset of the last event included; 0 is before the first event.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
public readonly record struct Position(uint Epoch, long Offset) : IComparable<Position>, ISpanParsable<Position>
{
    /// <summary>The maximum length of the wire text: eight hexadecimal digits, a hyphen and nineteen digits.</summary>
    public const int MaxLength = 28;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:x8}-{Offset}");

    /// <summary>Compares two positions of one epoch.</summary>
    /// <param name="other">The position to compare with.</param>
    /// <exception cref="InvalidOperationException">The epochs differ: positions of two histories have no order.</exception>
    public int CompareTo(Position other) =>
        Epoch == other.Epoch
            ? Offset.CompareTo(other.Offset)
            : throw new InvalidOperationException($"The positions {this} and {other} have different epochs and cannot be compared.");

    /// <summary>Writes the wire text as UTF-8.</summary>
    /// <param name="destination">The buffer: at least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public int Format(Span<byte> destination)
    {
        Epoch.TryFormat(destination, out var epochLength, "x8", CultureInfo.InvariantCulture);
        destination[epochLength] = (byte)'-';
        Offset.TryFormat(destination[(epochLength + 1)..], out var offsetLength, default, CultureInfo.InvariantCulture);
        return epochLength + 1 + offsetLength;
    }

    /// <summary>Parses the wire text. Accepts only the exact form that <see cref="ToString"/> writes.</summary>
    /// <param name="text">The text to parse.</param>
    /// <param name="position">The position; default if the method returns false.</param>
    /// <returns>Whether the text is a valid position.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out Position position)
    {
        position = default;
        if (text.Length is < 10 or > MaxLength || text[8] != '-' || !IsExact(text[..8], text[9..]))
            return false;
        if (!uint.TryParse(text[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch))
            return false;
        if (!long.TryParse(text[9..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        position = new Position(epoch, offset);
        return true;
    }

    // The parsers of numbers also accept upper case, leading zeros and trailing NULs.
    private static bool IsExact(ReadOnlySpan<char> epoch, ReadOnlySpan<char> offset) =>
        !epoch.ContainsAnyExcept("0123456789abcdef")
        && !offset.ContainsAnyExceptInRange('0', '9')
        && (offset[0] != '0' || offset.Length == 1);

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

    /// <summary>Returns whether <paramref name="left"/> is before <paramref name="right"/>.</summary>
    /// <exception cref="InvalidOperationException">The epochs differ.</exception>
    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;

    /// <summary>Returns whether <paramref name="left"/> is after <paramref name="right"/>.</summary>
    /// <exception cref="InvalidOperationException">The epochs differ.</exception>
    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;

    /// <summary>Returns whether <paramref name="left"/> is at or before <paramref name="right"/>.</summary>
    /// <exception cref="InvalidOperationException">The epochs differ.</exception>
    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;

    /// <summary>Returns whether <paramref name="left"/> is at or after <paramref name="right"/>.</summary>
    /// <exception cref="InvalidOperationException">The epochs differ.</exception>
    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;
}
