using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>
/// A pattern of streams: <c>*</c> matches one segment and <c>**</c> any number of segments, also none. Immutable.
/// </summary>
/// <remarks>It differs from <see cref="TopicPattern"/>, whose <c>**</c> is the last segment and matches one or more.</remarks>
internal sealed class StreamGlob
{
    /// <summary>The maximum number of <c>**</c>. Bounds the work of a match.</summary>
    public const int MaxRests = 4;

    private const string One = "*";
    private const string Rest = "**";

    private readonly string[] _segments;

    private StreamGlob(string text) => (Text, _segments) = (text, text.Split('/'));

    /// <summary>Gets the pattern over topics.</summary>
    public string Text { get; }

    /// <summary>Gets the segments before the first wildcard.</summary>
    public string Literal => string.Join('/', _segments.TakeWhile(static segment => segment is not (One or Rest)));

    /// <summary>Gets whether the pattern has a <c>**</c>.</summary>
    public bool HasRest => _segments.Contains(Rest);

    /// <summary>Gets whether the pattern has a wildcard.</summary>
    public bool HasWildcard => Text.Length > Literal.Length;

    /// <summary>Reads a pattern over topics that was stored.</summary>
    public static StreamGlob OfTopics(string text) => new(text);

    /// <summary>Reads a pattern over the names of streams.</summary>
    /// <param name="prefix">The beginning of the topics of all streams.</param>
    /// <param name="pattern">The pattern.</param>
    /// <returns>The pattern over topics; null if the text is not valid: it is too long, has an empty segment, or too many
    /// <c>**</c>.</returns>
    public static StreamGlob? Of(string prefix, string pattern)
    {
        var segments = pattern.Split('/');
        if (
            segments.Any(static segment => segment.Length == 0)
            || segments.Count(static segment => segment == Rest) > MaxRests
            || segments.Any(static segment => segment is not (One or Rest) && segment.Contains('*', StringComparison.Ordinal))
        )
            return null;
        var text = string.Join('/', segments.Select(static segment => segment is One or Rest ? segment : TopicName.Join(segment)));
        return prefix.Length + 1 + text.Length <= TopicName.MaxLength ? new StreamGlob($"{prefix}/{text}") : null;
    }

    /// <summary>Returns the name of a stream, or a pattern, relative to all streams and decoded.</summary>
    public static string PathOf(string prefix, string topic) => Uri.UnescapeDataString(topic[(prefix.Length + 1)..]);

    /// <summary>Returns whether the pattern matches a topic.</summary>
    public bool Matches(TopicName topic) => Matches(_segments, topic.Value.Split('/'));

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> name)
    {
        while (pattern.Length > 0)
        {
            if (pattern[0] == Rest)
            {
                for (var skipped = 0; skipped <= name.Length; skipped++)
                {
                    if (Matches(pattern[1..], name[skipped..]))
                        return true;
                }
                return false;
            }
            if (name.Length == 0 || (pattern[0] != One && pattern[0] != name[0]))
                return false;
            pattern = pattern[1..];
            name = name[1..];
        }
        return name.Length == 0;
    }
}
