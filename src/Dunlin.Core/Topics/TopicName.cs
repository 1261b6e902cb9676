using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Dunlin.Diagnostics;

namespace Dunlin.Topics;

/// <summary>
/// The name of one ordered flow of events: segments joined by <c>/</c>, for example <c>branches/1</c>. Names are
/// compared byte by byte: <c>users/1</c> is neither <c>users/10</c> nor <c>Users/1</c>. Only ASCII is allowed, so that
/// no Unicode normalisation can make two names one.
/// </summary>
public readonly record struct TopicName
{
    /// <summary>The longest name, in characters. Long enough for three joined UUIDs with prefixes.</summary>
    public const int MaxLength = 200;

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@|+=!$%/"
    );

    private readonly string? _value;

    private TopicName(string value) => _value = value;

    /// <summary>The text of the name; empty for the default value, which names nothing.</summary>
    public string Value => _value ?? "";

    /// <summary>Makes a name from text.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidTopic"/>, saying what is wrong.</exception>
    public static TopicName Parse(string? text) =>
        Fault(text) is { } fault ? throw new DunlinException(ErrorCode.InvalidTopic, fault, "topic") : new TopicName(text!);

    /// <summary>Makes a name from text; false where it is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TopicName name)
    {
        var valid = Fault(text) is null;
        name = valid ? new TopicName(text!) : default;
        return valid;
    }

    /// <summary>
    /// Joins segments with <c>/</c>, escaping in each what a name may not hold (and <c>/</c> and <c>%</c> themselves) as
    /// percent-encoded UTF-8. Use it where a segment comes from data, such as a user id.
    /// </summary>
    public static TopicName Of(params ReadOnlySpan<string> segments)
    {
        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            if (text.Length > 0)
                text.Append('/');
            Escape(segment, text);
        }
        return Parse(text.ToString());
    }

    /// <summary>The topic of one user: <c>users/{id}</c>. Its owner may always read it.</summary>
    public static TopicName ForUser(string userId) => Of("users", userId);

    /// <summary>Whether this name is <paramref name="prefix"/> or lies below it, segment by segment.</summary>
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

    /// <summary>The characters that a segment takes in a name.</summary>
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
