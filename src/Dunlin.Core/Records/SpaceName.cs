using System.Diagnostics.CodeAnalysis;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Records;

/// <summary>The name of a space: a set of records that are read and authorised together, for example <c>todos/9f3c</c> for
/// one list with its tasks. The same letters as in a <see cref="TopicName"/>; compared byte by byte.</summary>
public readonly record struct SpaceName
{
    /// <summary>The longest name, in characters: with the prefix of its topic it is still a topic's name.</summary>
    public const int MaxLength = TopicName.MaxLength - 10;

    private readonly string? _value;

    private SpaceName(string value) => _value = value;

    /// <summary>The text of the name; empty for the default value, which names nothing.</summary>
    public string Value => _value ?? "";

    /// <summary>The topic on which the changes of this space are told: <c>records/{space}</c>. Nobody may read it unless the
    /// application has a policy for it.</summary>
    public TopicName Topic => TopicName.Parse("records/" + Value);

    /// <summary>Makes a name from text.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, saying what is wrong.</exception>
    public static SpaceName Parse(string? text) =>
        Fault(text) is { } fault ? throw new DunlinException(ErrorCode.InvalidField, fault, "space") : new SpaceName(text!);

    /// <summary>Makes a name from text; false where it is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SpaceName name)
    {
        var valid = Fault(text) is null;
        name = valid ? new SpaceName(text!) : default;
        return valid;
    }

    /// <summary>Joins segments with <c>/</c>, escaping in each what a name may not hold. Use it where a segment comes from
    /// data, such as an id that a client chose.</summary>
    public static SpaceName Of(params ReadOnlySpan<string> segments) => Parse(TopicName.Of(segments).Value);

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static string? Fault(string? text) =>
        text is { Length: > MaxLength } ? $"The name of a space must have at most {MaxLength} characters." : TopicName.Fault(text);
}
