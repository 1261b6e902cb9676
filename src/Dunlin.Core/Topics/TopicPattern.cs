using System.Diagnostics.CodeAnalysis;

namespace Dunlin.Topics;

/// <summary>
/// Says which names of topics or resources are meant: segments joined by <c>/</c>, where <c>*</c> stands for any one whole
/// segment and <c>**</c>, as the last segment only, for one or more. <c>teams/7/**</c> covers <c>teams/7/chat</c> and all below it,
/// but not <c>teams/7</c> itself. Compared byte by byte, like the names: <c>users/1</c> covers neither <c>users/10</c> nor <c>Users/1</c>,
/// and nothing is decoded, so <c>%2F</c> in a name is part of a segment and never a border. Names hold no <c>*</c>, so no text is both.
/// Immutable; two of the same text are equal.
/// </summary>
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

    /// <summary>The pattern as it was written.</summary>
    public string Text { get; }

    /// <summary>The segments before the first that stands for others: every name that is meant is this or lies below it. Empty where
    /// the first segment stands for others already.</summary>
    public string Prefix { get; }

    /// <summary>Every name that is meant, and usually others, sorts from the first of these (inclusive) to the second (exclusive), byte by
    /// byte: for an index on names.</summary>
    internal (string From, string To) Range =>
        Text.Length == Prefix.Length ? (Text, Text + '!') // '!' is the first character that a name may hold,
        : Prefix.Length == 0 ? ("", "\u007F")
        : (Prefix + '/', Prefix + '0'); // DEL follows the last one, and '0' follows '/'

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static TopicPattern Parse(string? text) =>
        Fault(text) is { } fault ? throw new FormatException($"'{text}' is not a pattern: {fault}") : new TopicPattern(text!);

    /// <summary>Reads a pattern; false where the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out TopicPattern? pattern)
    {
        pattern = Fault(text) is null ? new TopicPattern(text!) : null;
        return pattern is not null;
    }

    /// <summary>Whether a name is meant. Allocates nothing.</summary>
    public bool Covers(string name)
    {
        var rest = name.AsSpan();
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

    /// <summary>Whether every name that <paramref name="other"/> means is meant by this one too.</summary>
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

    /// <summary>Whether a name that is meant can be <paramref name="prefix"/> or lie below it. An empty prefix: always.</summary>
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
