using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Dunlin.Diagnostics;

namespace Dunlin.Topics;

/// <summary>
/// The name of a topic, which is an ordered stream of events: segments joined by <c>/</c>, for example <c>branches/1</c>. Immutable.
/// </summary>
/// <remarks>
/// A second kind of name is any text, for protocols that name topics by URLs: see <see cref="ForText"/>. No name is of both kinds.
/// <para/>
/// Comparison is ordinal: <c>users/1</c> is neither <c>users/10</c> nor <c>Users/1</c>. Only ASCII is allowed, so that Unicode
/// normalisation cannot make two names equal.
/// </remarks>
public readonly record struct TopicName
{
    /// <summary>The maximum length of a name in characters: 200, enough for three UUIDs with prefixes.</summary>
    public const int MaxLength = 200;

    /// <summary>The maximum length of a text topic in characters: 2,048, as for URLs.</summary>
    public const int MaxTextLength = 2_048;

    private const char TextMark = '#'; // not in Allowed, so that no path name begins with it

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@|+=!$%/"
    );

    private readonly string? _value;

    private TopicName(string value) => _value = value;

    /// <summary>Gets the text of the name; empty for the default value, which is not a valid name.</summary>
    public string Value => _value ?? "";

    /// <summary>Parses a name.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidTopic"/>: the text is not a valid name; the message gives the
    /// reason.</exception>
    public static TopicName Parse(string? text) =>
        Fault(text) is { } fault ? throw new DunlinException(ErrorCode.InvalidTopic, fault, "topic") : new TopicName(text!);

    /// <summary>Parses a name.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The name; default if the method returns false.</param>
    /// <returns>Whether the text is a valid name.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out TopicName name)
    {
        var valid = Fault(text) is null;
        name = valid ? new TopicName(text!) : default;
        return valid;
    }

    /// <summary>
    /// Joins segments with <c>/</c> and escapes invalid characters, <c>/</c> and <c>%</c> in each as percent-encoded UTF-8. Use it for
    /// segments from data, such as user ids.
    /// </summary>
    /// <param name="segments">The segments.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidTopic"/>: the result is not a valid name, for example because it is
    /// too long.</exception>
    public static TopicName Of(params ReadOnlySpan<string> segments) => Parse(Join(segments));

    /// <summary>Joins segments as <see cref="Of"/> does, without validation of the result.</summary>
    internal static string Join(params ReadOnlySpan<string> segments)
    {
        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            if (text.Length > 0)
                text.Append('/');
            Escape(segment, text);
        }
        return text.ToString();
    }

    /// <summary>
    /// Returns the topic that any text names, for example a URL. Its <see cref="Value"/> is <c>#</c> and the text. <see cref="Parse"/>,
    /// patterns and the HTTP API do not reach such topics.
    /// </summary>
    /// <param name="text">The text: 1 to <see cref="MaxTextLength"/> characters of valid Unicode, without control (Cc) and format (Cf)
    /// characters.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidTopic"/>: the text is not valid.</exception>
    public static TopicName ForText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is 0 or > MaxTextLength)
            throw new DunlinException(ErrorCode.InvalidTopic, $"A text topic must have 1 to {MaxTextLength} characters.", "topic");
        return TopicText.IsValid(text)
            ? new TopicName(TextMark + text)
            : throw new DunlinException(ErrorCode.InvalidTopic, "A text topic must not have control or format characters.", "topic");
    }

    /// <summary>Gets whether the topic is named by a text.</summary>
    public bool IsText => _value is [TextMark, ..];

    /// <summary>Gets the text that names the topic; null for a path name.</summary>
    public string? Text => IsText ? _value![1..] : null;

    /// <summary>Returns the name that a store or another node has kept.</summary>
    internal static TopicName FromStored(string value) => value is [TextMark, ..] ? new TopicName(value) : Parse(value);

    /// <summary>Returns the topic of a user, <c>users/{id}</c>. The user may always read it.</summary>
    /// <param name="userId">The user.</param>
    public static TopicName ForUser(string userId) => Of("users", userId);

    /// <summary>Returns whether this name equals <paramref name="prefix"/> or is below it, segment by segment.</summary>
    /// <param name="prefix">The prefix.</param>
    public bool IsUnder(string prefix) => NamePrefix.Covers(prefix, Value);

    /// <inheritdoc/>
    public override string ToString() => Value;

    internal static string? Fault(string? text) =>
        text switch
        {
            null or "" => "The name is missing or empty.",
            { Length: > MaxLength } => $"The name has {text.Length} characters; the limit is {MaxLength}.",
            _ when text.AsSpan().ContainsAnyExcept(Allowed) =>
                $"The name '{text}' has other characters than letters, digits and -._~:@|+=!$%/.",
            _ when text[0] == '/' || text[^1] == '/' || text.Contains("//", StringComparison.Ordinal) =>
                $"The name '{text}' has an empty segment: it begins or ends with '/', or has '//'.",
            _ => null,
        };

    /// <summary>Returns the number of characters that a segment has in a name, after escaping.</summary>
    internal static int SegmentLength(string segment)
    {
        var text = new StringBuilder();
        Escape(segment, text);
        return text.Length;
    }

    private static void Escape(string segment, StringBuilder text)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in segment.EnumerateRunes())
        {
            if (rune.IsAscii && rune.Value is not ('/' or '%') && Allowed.Contains((char)rune.Value))
            {
                text.Append((char)rune.Value);
                continue;
            }
            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
                text.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}
