using System.Globalization;
using System.Text.Json.Serialization;

namespace Dunlin.Client;

/// <summary>A place in a stream: the id of an event, as the server sent it. Immutable.</summary>
/// <remarks>An engine's id is <c>epoch-offset</c>, for example <c>0000002a-17</c>. Streams of applications may have other ids, so a client
/// returns an id unchanged and compares positions for equality only.</remarks>
[JsonConverter(typeof(StreamPositionConverter))]
public readonly record struct StreamPosition
{
    private readonly string? _text;

    /// <summary>Creates a position from an id.</summary>
    /// <param name="text">The id: 1 or more characters of U+0021 to U+007E.</param>
    /// <exception cref="ArgumentException">The text is empty or has a character that no header can carry.</exception>
    public StreamPosition(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (!IsHeaderSafe(text))
            throw new ArgumentException($"'{text}' is no position. Use the id of an event of this server.", nameof(text));
        _text = text;
    }

    private StreamPosition(string? text, bool _) => _text = text;

    /// <summary>Returns the journal offset of an engine's position.</summary>
    /// <param name="epoch">The epoch: positions of different epochs cannot be compared.</param>
    /// <param name="offset">The offset, which grows with every event.</param>
    /// <returns>False if the position is not of an engine's stream.</returns>
    public bool TryGetOffset(out uint epoch, out long offset)
    {
        (epoch, offset) = (0, 0);
        var text = ToString();
        // The parsers of numbers also accept upper case and leading zeros, which no engine writes.
        return text.Length > 9
            && text[8] == '-'
            && !text.AsSpan(0, 8).ContainsAnyExcept("0123456789abcdef")
            && (text[9] != '0' || text.Length == 10)
            && !text.AsSpan(9).ContainsAnyExceptInRange('0', '9')
            && uint.TryParse(text.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out epoch)
            && long.TryParse(text.AsSpan(9), NumberStyles.None, CultureInfo.InvariantCulture, out offset);
    }

    /// <summary>Returns the id.</summary>
    public override string ToString() => _text ?? "";

    /// <summary>Returns the position of an id that a stream sent, or null for an empty id.</summary>
    internal static StreamPosition? OfWire(string? id) => string.IsNullOrEmpty(id) ? null : new StreamPosition(id, true);

    // With any other id a request could not be sent, and every attempt to reconnect would fail.
    internal static bool IsHeaderSafe(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
