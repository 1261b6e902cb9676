using System.Diagnostics.CodeAnalysis;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Records;

/// <summary>
/// The name of a space: a set of records that are read and authorised together, for example <c>todos/9f3c</c> for one list with its tasks.
/// Immutable.
/// </summary>
/// <remarks>Allows the characters of a <see cref="TopicName"/>. Comparison is ordinal.</remarks>
public readonly record struct SpaceName
{
    /// <summary>The maximum length of a name in characters: 190, so that it fits into a topic name with its prefix.</summary>
    public const int MaxLength = TopicName.MaxLength - 10;

    private readonly string? _value;

    private SpaceName(string value) => _value = value;

    /// <summary>Gets the text of the name; empty for the default value, which is not a valid name.</summary>
    public string Value => _value ?? "";

    /// <summary>
    /// Gets the topic of the changes of this space, <c>records/{space}</c>. No user may read it unless an access policy of the application
    /// allows it.
    /// </summary>
    public TopicName Topic => TopicName.Parse("records/" + Value);

    /// <summary>Parses a name.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is not a valid name; the message gives the
    /// reason.</exception>
    public static SpaceName Parse(string? text) =>
        Fault(text) is { } fault ? throw new DunlinException(ErrorCode.InvalidField, fault, "space") : new SpaceName(text!);

    /// <summary>Parses a name.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The name; default if the method returns false.</param>
    /// <returns>Whether the text is a valid name.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out SpaceName name)
    {
        var valid = Fault(text) is null;
        name = valid ? new SpaceName(text!) : default;
        return valid;
    }

    /// <summary>
    /// Joins segments with <c>/</c> and escapes each as <see cref="TopicName.Of"/> does. Use it for segments from data, such as ids that a
    /// client chose.
    /// </summary>
    /// <param name="segments">The segments.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the result is not a valid name, for example because it is
    /// too long.</exception>
    public static SpaceName Of(params ReadOnlySpan<string> segments) => Parse(TopicName.Join(segments));

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static string? Fault(string? text) =>
        text is { Length: > MaxLength } ? $"The name of a space must have at most {MaxLength} characters." : TopicName.Fault(text);
}
