using System.Globalization;
using System.Text;

namespace Dunlin.Diagnostics;

/// <summary>
/// A text that came from a client or another server, as it may stand in a log: no line break, control or formatting character of it gets
/// there as such, so it can neither forge a line nor steer a terminal, and it is cut after <see cref="MaxLength"/> characters. The type of
/// a parameter of a log message, to which a text converts by itself.
/// </summary>
/// <remarks>CWE-117. What is replaced is written as <c>\uXXXX</c>; a backslash is doubled, so that the log is unambiguous.</remarks>
/// <param name="value">The text; null is logged as <c>(null)</c>.</param>
internal readonly struct PeerText(string? value) : IEquatable<PeerText>
{
    /// <summary>How much of a text is logged, in characters.</summary>
    public const int MaxLength = 200;

    private readonly string? _value = value;

    /// <summary>Wraps a text.</summary>
    public static implicit operator PeerText(string? value) => new(value);

    /// <summary>Wraps a text.</summary>
    public static PeerText FromString(string? value) => new(value);

    /// <summary>Whether both stand for the same text.</summary>
    public static bool operator ==(PeerText left, PeerText right) => left.Equals(right);

    /// <summary>Whether they stand for different texts.</summary>
    public static bool operator !=(PeerText left, PeerText right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(PeerText other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PeerText other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value is null ? 0 : StringComparer.Ordinal.GetHashCode(_value);

    /// <summary>The text as it may stand in a log.</summary>
    public override string ToString()
    {
        if (_value is null)
            return "(null)";
        if (_value.Length <= MaxLength && _value.All(IsPlain))
            return _value;
        var text = new StringBuilder(MaxLength);
        foreach (var c in _value.AsSpan(0, Math.Min(_value.Length, MaxLength)))
        {
            if (c == '\\')
                text.Append(@"\\");
            else if (IsPlain(c))
                text.Append(c);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
        }
        return _value.Length > MaxLength ? text.Append("...").ToString() : text.ToString();
    }

    // Surrogates are escaped as well: a pair may be a formatting character, and half of one is no text.
    private static bool IsPlain(char c) =>
        c != '\\'
        && char.GetUnicodeCategory(c)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
            );
}
