using System.Diagnostics.CodeAnalysis;
using Dunlin.Diagnostics;

namespace Dunlin.Topics;

/// <summary>
/// The name of the resource of a lease, such as a file, a record or a field: for example <c>cases/17/customerName</c>. Immutable.
/// </summary>
/// <remarks>Allows the same characters and length as <see cref="TopicName"/>.</remarks>
public readonly record struct ResourceName
{
    private readonly string? _value;

    private ResourceName(string value) => _value = value;

    /// <summary>Gets the text of the name; empty for the default value, which is not a valid name.</summary>
    public string Value => _value ?? "";

    /// <summary>Parses a name.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidResource"/>: the text is not a valid name; the message gives the
    /// reason.</exception>
    public static ResourceName Parse(string? text) =>
        TopicName.Fault(text) is { } fault
            ? throw new DunlinException(ErrorCode.InvalidResource, fault, "resource")
            : new ResourceName(text!);

    /// <summary>Parses a name.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The name; default if the method returns false.</param>
    /// <returns>Whether the text is a valid name.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out ResourceName name)
    {
        var valid = TopicName.Fault(text) is null;
        name = valid ? new ResourceName(text!) : default;
        return valid;
    }

    /// <summary>Joins segments with <c>/</c> and escapes each as <see cref="TopicName.Of"/> does.</summary>
    /// <param name="segments">The segments.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidResource"/>: the result is not a valid name, for example because it
    /// is too long.</exception>
    public static ResourceName Of(params ReadOnlySpan<string> segments) => Parse(TopicName.Join(segments));

    /// <summary>Gets the part before the first <c>/</c>.</summary>
    public string FirstSegment => Value.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? Value[..slash] : Value;

    /// <summary>Returns whether this name equals <paramref name="prefix"/> or is below it, segment by segment.</summary>
    /// <param name="prefix">The prefix.</param>
    public bool IsUnder(string prefix) => NamePrefix.Covers(prefix, Value);

    /// <inheritdoc/>
    public override string ToString() => Value;
}
