using System.Globalization;
using System.Text;

namespace Dunlin.Diagnostics;

/// <summary>
/// Untrusted text from a client or another server, made safe for logs. Immutable. Use it as the type of log message parameters; strings
/// convert implicitly.
/// </summary>
/// <remarks>
/// CWE-117. Line breaks, control and formatting characters are written as <c>\uXXXX</c>, so that the text cannot forge log lines or control
/// a terminal. Backslashes are doubled, so that the log is unambiguous. The text is truncated after <see cref="MaxLength"/> characters.
/// </remarks>
/// <param name="value">The text; null is logged as <c>(null)</c>.</param>
public readonly struct PeerText(string? value) : IEquatable<PeerText>
{
    /// <summary>The maximum number of characters of a text that are logged: 200.</summary>
    public const int MaxLength = 200;

    private readonly string? _value = value;

    /// <summary>Wraps a text.</summary>
    /// <param name="value">The text.</param>
    public static implicit operator PeerText(string? value) => new(value);

    /// <summary>Wraps a text.</summary>
    /// <param name="value">The text.</param>
    public static PeerText FromString(string? value) => new(value);

    /// <summary>Returns whether both values have the same text.</summary>
    public static bool operator ==(PeerText left, PeerText right) => left.Equals(right);

    /// <summary>Returns whether the values have different texts.</summary>
    public static bool operator !=(PeerText left, PeerText right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(PeerText other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PeerText other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value is null ? 0 : StringComparer.Ordinal.GetHashCode(_value);

    /// <summary>Returns the text in the form that is safe for logs.</summary>
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

    // Surrogates are escaped too: a pair may be a formatting character, and an unpaired surrogate is not valid text.
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
