using System.Diagnostics.CodeAnalysis;

namespace Dunlin.Topics;

/// <summary>A pattern of topic or resource names. Immutable; patterns with equal text are equal.</summary>
/// <remarks>
/// Segments are joined by <c>/</c>. <c>*</c> matches exactly one segment. <c>**</c> is allowed as the last segment and matches one or more
/// segments. For example, <c>teams/7/**</c> covers <c>teams/7/chat</c> and all names below it, but not <c>teams/7</c>. Comparison is
/// ordinal, and nothing is decoded: <c>%2F</c> in a name is part of a segment. Names cannot contain <c>*</c>, so no text is both a name and
/// a pattern with wildcards.
/// </remarks>
public sealed class TopicPattern : IEquatable<TopicPattern>
{
    private const string One = "*";
    private const string Rest = "**";

    private readonly string[] _segments;
    private readonly bool _coversBelow;

    private TopicPattern(string text)
    {
        Text = text;
        var segments = text.Split('/');
        _coversBelow = segments[^1] == Rest;
        _segments = _coversBelow ? segments[..^1] : segments;
        var literal = Array.IndexOf(_segments, One);
        Prefix = string.Join('/', literal < 0 ? _segments : _segments[..literal]);
    }

    /// <summary>Gets the text of the pattern.</summary>
    public string Text { get; }

    /// <summary>
    /// Gets the segments before the first wildcard. Every covered name equals it or is below it. Empty if the first segment is a wildcard.
    /// </summary>
    public string Prefix { get; }

    /// <summary>
    /// Gets an ordinal range for an index on names, from inclusive to exclusive. It contains every covered name, and usually others.
    /// </summary>
    internal (string From, string To) Range =>
        Text.Length == Prefix.Length ? (Text, Text + '!') // '!' is the lowest character of a name,
        : Prefix.Length == 0 ? ("", "\u007F")
        : (Prefix + '/', Prefix + '0'); // '0' follows '/', and DEL is above all characters of a name

    /// <summary>Parses a pattern.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is not a valid pattern; the message gives the reason.</exception>
    public static TopicPattern Parse(string? text) =>
        Fault(text) is { } fault ? throw new FormatException($"'{text}' is not a pattern: {fault}") : new TopicPattern(text!);

    /// <summary>Parses a pattern.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pattern">The pattern; null if the method returns false.</param>
    /// <returns>Whether the text is a valid pattern.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out TopicPattern? pattern)
    {
        pattern = Fault(text) is null ? new TopicPattern(text!) : null;
        return pattern is not null;
    }

    /// <summary>Returns whether the pattern covers a name. Covers no text topic. Does not allocate.</summary>
    /// <param name="name">The name.</param>
    public bool Covers(string name)
    {
        var rest = name.AsSpan();
        if (rest is ['#', ..])
            return false;
        foreach (var segment in _segments)
        {
            if (rest.IsEmpty)
                return false;
            var end = rest.IndexOf('/');
            var head = end < 0 ? rest : rest[..end];
            if (segment != One && !head.SequenceEqual(segment))
                return false;
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return rest.IsEmpty != _coversBelow;
    }

    /// <summary>Returns whether this pattern covers every name that <paramref name="other"/> covers.</summary>
    /// <param name="other">The other pattern.</param>
    public bool CoversAll(TopicPattern other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var shortest = other._segments.Length + (other._coversBelow ? 1 : 0);
        if (_coversBelow ? shortest <= _segments.Length : other._coversBelow || shortest != _segments.Length)
            return false;
        for (var i = 0; i < _segments.Length; i++)
        {
            if (_segments[i] != One && _segments[i] != other._segments[i])
                return false;
        }
        return true;
    }

    /// <summary>
    /// Returns whether the pattern can cover a name that equals <paramref name="prefix"/> or is below it. Always true for an empty prefix.
    /// </summary>
    internal bool Meets(string prefix)
    {
        var rest = prefix.EndsWith('/') ? prefix.AsSpan(0, prefix.Length - 1) : prefix;
        foreach (var segment in _segments)
        {
            if (rest.IsEmpty)
                return true;
            var end = rest.IndexOf('/');
            var head = end < 0 ? rest : rest[..end];
            if (segment != One && !head.SequenceEqual(segment))
                return false;
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return rest.IsEmpty || _coversBelow;
    }

    /// <inheritdoc/>
    public bool Equals(TopicPattern? other) => other is not null && string.Equals(Text, other.Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TopicPattern);

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static string? Fault(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "it is empty.";
        if (text.Length > TopicName.MaxLength)
            return $"it has more than {TopicName.MaxLength} characters.";
        var segments = text.Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i] == One || (segments[i] == Rest && i == segments.Length - 1))
                continue;
            if (segments[i] == Rest)
                return "'**' must be the last segment.";
            if (segments[i].Contains('*', StringComparison.Ordinal))
                return "'*' must be a whole segment.";
            if (TopicName.Fault(segments[i]) is not null)
                return "a segment is empty or has other characters than letters, digits and -._~:@|+=!$%.";
        }
        return null;
    }
}
